"""Certificates of the service's closed circles: asked for with a PKCS#10 request, listed, revoked; EST for machines."""
