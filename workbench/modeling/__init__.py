"""The only place that touches torch and transformers."""
