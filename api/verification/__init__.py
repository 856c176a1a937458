"""Verify documents over HTTP."""
