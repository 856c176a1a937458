"""A key whose every use is in the audit log: time-stamps, OCSP answers, checkpoints.

    key = AuditedKey(key, log, purpose="time-stamp")                    # one entry before each signature
    key = AuditedKey(key, log, purpose="ocsp", batch=1000)              # one entry before every thousand
    key.close()                                                         # says how many were made of the last thousand

A busy responder signs thousands of times a minute, and an entry on disk for each would cost more than the signatures.
So the intent is written for a batch, before its first signature: "up to 1000 signatures". When the batch is full or
the key is closed, a second entry says how many were made and gives the Merkle root over what was signed, so that any
one of them can be shown to belong there. A process that is killed leaves a batch without its second entry; the intent
still bounds it.
"""

from __future__ import annotations

import threading
from hashlib import sha256

from certs import extensions
from certs.audit import tree
from certs.audit.log import AuditLog, LogEntry
from certs.errors import AuditError
from certs.keys.base import KeyHandle, in_process
from certs.suites.base import PublicKey, Suite

MAX_BATCH = 65536


class AuditedKey:
    """A key with a log. Satisfies KeyHandle; thread-safe. Where the log refuses, `sign` raises AuditError."""

    def __init__(self, key: KeyHandle, log: AuditLog, *, purpose: str, batch: int = 1) -> None:
        if not 1 <= batch <= MAX_BATCH:
            raise AuditError(f"a batch is 1 to {MAX_BATCH} signatures")
        self._key, self._log, self._purpose, self._batch = key, log, purpose, batch
        self._id = extensions.key_id(key.public_key.spki).hex()
        self._lock = threading.Lock()
        self._intent: LogEntry | None = None
        self._leaves: list[bytes] = []

    @property
    def suite(self) -> Suite:
        """The key's suite."""
        return self._key.suite

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self._key.public_key

    @property
    def in_process(self) -> bool:
        """Whether the key computes in this process."""
        return in_process(self._key)

    def sign(self, message: bytes) -> bytes:
        """Sign what is on record, or whose batch is."""
        if self._batch == 1:
            self._log.append("key-use", key=self._id, purpose=self._purpose, message=sha256(message).hexdigest())
        else:
            with self._lock:
                if len(self._leaves) == self._batch:
                    self._end()
                if self._intent is None:
                    self._intent = self._log.append(
                        "key-use-intent", key=self._id, purpose=self._purpose, at_most=self._batch
                    )
                self._leaves.append(tree.leaf_hash(message))
        return self._key.sign(message)

    def close(self) -> None:
        """Say how many signatures of the last batch were asked for. A later `sign` begins another."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._intent is not None:
            self._log.append(
                "key-used", of=self._intent.number, signatures=len(self._leaves), root=tree.root(self._leaves).hex()
            )
            self._intent, self._leaves = None, []


def end_batch(key: KeyHandle) -> None:
    """Close a key where it is one with a log; what had it goes on, with another batch."""
    if isinstance(key, AuditedKey):
        key.close()
