"""The audit trail of a contract: append-only, each event bound to the one before by its hash."""
