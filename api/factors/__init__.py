"""The signer's own factors: a passphrase that releases a key, a one-time code; who enrols them, and when they count."""
