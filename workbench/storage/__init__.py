"""The only place that touches SQL. ``Store`` is its door; frozen values from ``domain`` come out of it."""

from workbench.storage.store import Store, Transaction

__all__ = ["Store", "Transaction"]
