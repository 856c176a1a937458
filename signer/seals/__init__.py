"""Electronic seals: their objects (GM/T 0031, GB/T 38540), their pictures, and their life."""
