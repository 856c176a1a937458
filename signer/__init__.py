"""What was signed, and can we prove it? PDF and CMS signatures, appearances, verdicts."""
