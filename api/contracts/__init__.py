"""Contracts and their parties: what is agreed, who has to act, and what happened."""
