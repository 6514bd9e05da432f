"""Parsing and writing files: one module a format, registered by name."""
