"""The run queue, the supervisor, the runner, the launchers."""
