"""A key that verifies its own values before they leave: for OCSP answers and time-stamps.

    key = CheckedKey(key)                            # every value
    key = CheckedKey(key, OwnCheck(one_in=256))      # the first and every 256th, where that may be
    key.sign(message)                                # BadSignature where the value does not verify

A wrong value is of no use to whoever asked, and may be of much use to an attacker: from a fault in the computation
(failing memory, heat, radiation, somebody's hand) the private key can be computed. Decision 16 says what `OwnCheck`
leaves unguarded and for which keys it counts at all.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from certs.errors import BadSignature, KeyStoreError
from certs.keys.base import KeyHandle, in_process
from certs.suites.base import PublicKey, Suite

MAX_ONE_IN = 10_000
"""A key that has begun to fail is found out after so many values at the latest."""


@dataclass(frozen=True)
class OwnCheck:
    """How many of its own values a key verifies before they leave. Raises KeyStoreError for a number out of bounds."""

    one_in: int = 1
    """1: every value. N: the first, and then every Nth; all the same every value of a suite in which a single random
    fault may give the key away (RSA, EdDSA, ML-DSA), of a key outside this process, and of a key that once failed."""

    def __post_init__(self) -> None:
        if not 1 <= self.one_in <= MAX_ONE_IN:
            raise KeyStoreError(f"one in 1 to {MAX_ONE_IN} values is verified, not one in {self.one_in}")

    def applies_to(self, key: KeyHandle) -> bool:
        """Tell whether a key may leave values unverified by this policy."""
        return self.one_in > 1 and not key.suite.one_fault_tells and in_process(key)


EVERY = OwnCheck()


class CheckedKey:
    """A key that verifies what it signs. Satisfies KeyHandle; thread-safe where the key is."""

    def __init__(self, key: KeyHandle, policy: OwnCheck = EVERY) -> None:
        self._key, self._policy = key, policy
        self._public = key.public_key
        self._numbers = itertools.count()
        self._failed = False

    @property
    def suite(self) -> Suite:
        """The key's suite."""
        return self._key.suite

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self._public

    def sign(self, message: bytes, *, always: bool = False) -> bytes:
        """Sign, and verify where the policy, or `always`, says so. Raises BadSignature, and what the key raises."""
        value = self._key.sign(message)
        # asked after the first signature: a key that is opened when first used is known only then
        if (
            always
            or self._failed
            or next(self._numbers) % self._policy.one_in == 0
            or not self._policy.applies_to(self._key)
        ):
            try:
                self._public.verify(value, message)
            except BadSignature:
                self._failed = True
                raise
        return value
