"""Identity proofs: how somebody was identified, on record before a certificate is issued to them."""
