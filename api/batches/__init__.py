"""Batch signing: one consent for many contracts, and the policies under which it is done without anybody present."""
