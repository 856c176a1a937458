"""Tenants and API keys: who asks, and whether they may."""
