"""Durable jobs: a narrow port over a table with leases.

A job is enqueued in the transaction that makes it necessary, and handlers are idempotent; so whatever engine runs
them, a killed process loses nothing. Other rooms use `enqueue`, `JobRun` and the table of handlers, nothing else.
"""
