"""PAdES signatures (EN 319 142-1): prepare, record, use the key once, complete."""
