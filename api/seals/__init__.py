"""Electronic seals of the tenants: asked for, approved, made, filed, granted, used, suspended, cancelled."""
