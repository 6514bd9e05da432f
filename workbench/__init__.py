"""A self-hosted active-learning workbench for token classification and extractive question answering."""

__version__ = "0.1.0"
