"""Organisations and people: whom a tenant has on record, with their names, identifiers and who belongs where."""
