"""Templates: drafts of contracts with parts in place of parties, from which contracts are made."""
