"""Who is this, and may we trust it? Suites, keys, certificates, CRLs, time-stamps, paths."""
