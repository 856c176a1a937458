"""Side-by-side runs against peers and against the raw-crypto floor. Ratios, never pass or fail."""
