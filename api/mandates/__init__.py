"""Powers of attorney: handed in, verified, revoked; who acts under one does so only while it stands."""
