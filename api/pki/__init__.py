"""The service's own closed circles, and their revocation lists, certificates and time-stamps over HTTP."""
