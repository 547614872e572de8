"""The states of a run, for commands that need nothing else of the ledger."""

STATES = ("running", "completed", "failed", "canceled", "lost")
