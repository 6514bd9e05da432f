"""What labeling has bought, and what more of it would: pure functions on arrays, without a model or a database."""
