"""Bulk sends: many contracts from one template and a table of who signs them."""
