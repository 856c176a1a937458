"""A party signs: consent, intent on record, the key used once, the revision embedded by compare-and-set."""
