"""A key for one signature: used once, for the contract it was certified for, then destroyed, all of it on record.

    signer = OneTimeKey(key, log, application)
    certificate = ra.issue(dossier)                       # profile "one-time": valid for hours, for one contract
    value = signer.sign(attributes)                       # entry, signature, destruction, entry
    signer.sign(attributes)                               # KeyStoreError

The key lives in this process only. The entry before the signature bounds what it can have been used for; the entry
after it says that it is gone. A process that dies between the two takes the key with it, and the log shows an intent
without a destruction: nobody has the key then either.
"""

from __future__ import annotations

import threading
from hashlib import sha256

from certs import extensions
from certs.application import Application
from certs.audit.log import AuditLog
from certs.errors import ApprovalError, KeyStoreError
from certs.suites.base import PrivateKey, PublicKey, Suite


class OneTimeKey:
    """A private key that signs once. Satisfies KeyHandle."""

    def __init__(self, key: PrivateKey, log: AuditLog, application: Application) -> None:
        """Take the key over. Raises ApprovalError where the application is for another key or for no contract."""
        if key.public_key.spki != application.spki or application.contract is None:
            raise ApprovalError("a one-time key is certified for itself and for one contract")
        self._key: PrivateKey | None = key
        self._suite, self._public = key.suite, key.public_key
        self._log, self._application = log, application
        self._id = extensions.key_id(key.public_key.spki).hex()
        self._lock = threading.Lock()

    @property
    def suite(self) -> Suite:
        """The key's suite."""
        return self._suite

    @property
    def public_key(self) -> PublicKey:
        """The public half, which stays."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Sign and destroy the key, whatever comes of it. Raises KeyStoreError the second time, AuditError."""
        with self._lock:
            key = self._key
            if key is None:
                raise KeyStoreError("the one-time key was used, or destroyed unused")
            self._log.append(
                "key-use",
                key=self._id,
                purpose="one-time",
                message=sha256(message).hexdigest(),
                application=self._application.digest,
                contract=self._application.contract,
            )
            self._key = None
            try:
                return key.sign(message)
            finally:
                del key
                self._destroyed("used")

    def destroy(self) -> None:
        """Destroy the key without using it."""
        with self._lock:
            if self._key is not None:
                self._key = None
                self._destroyed("unused")

    def _destroyed(self, how: str) -> None:
        self._log.append("key-destroyed", key=self._id, how=how, application=self._application.digest)
