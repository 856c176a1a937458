"""The audit log of an authority: everything it does, in an order nobody can change unseen.

    log = AuditLog("audit.sqlite", clock)                     # entries, each chained to the one before
    ledger = AuditedLedger(SQLiteLedger("ledger.sqlite"), log)  # nothing changes in it without an entry first
    encoded = checkpoint.make(log, signers, now)              # the state of the log, signed, to be kept elsewhere
    report = verify(log, ledger=ledger, issuers=…)            # altered, removed, inserted, moved, cut off, forked

`log` keeps entries, `ledger` and `keys` write them before acts, `tree` has the Merkle tree of RFC 9162, `checkpoint`
signs its root, `proof` takes one entry or the growth of the log out of it, `replay` and `verify` believe nothing.
"""
