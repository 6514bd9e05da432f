"""What labeling has bought, and what more would: arithmetic on scores and costs, without a model or a database."""
