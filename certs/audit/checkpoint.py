"""Checkpoints: the state of a log in one line, signed, to be kept where the authority cannot reach it.

    encoded = make(log, [Signer(key, certificate, chain)], now, stamp=tsa.stamp)
    checkpoint = parse(encoded)                      # MalformedInput
    checkpoint.verify()                              # BadSignature unless every signature holds
    checkpoint.signers(store)                        # … and every signer is an audit key of an authority in `store`
    checkpoint.size, checkpoint.root

The content is canonical JSON: the log's name, its size and root hash, the moment, and the digest of the checkpoint
before. It is signed as CMS with the content inside, one PEM block for each signer, so that one file can carry the
same statement in SM2, GOST and RSA, and any CMS program can check the first block as it is. An audit key does nothing
else: its certificate says so by a purpose of our own, and one without it is no signer of checkpoints, whoever issued
it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from certs import canonical, oids, suites
from certs.audit import tree
from certs.audit.log import AuditLog, moment_of, text_of
from certs.certificate import Certificate
from certs.errors import AuditError, BadSignature, MalformedInput
from certs.keys.base import KeyHandle
from certs.path import validate_path
from certs.pem import armor, pem_blocks
from certs.signed_data import (
    SignedDataView,
    assemble,
    attribute,
    check_signing_certificate,
    parse_signed_data,
    signed_attributes,
)
from certs.timestamp import read_token
from certs.trust import TrustStore

SCHEMA = "sealroad.audit.checkpoint/1"
MAX_SIZE = 4 * 1024 * 1024
MAX_SIGNATURES = 16

Stamp = Callable[[str, bytes], bytes]
"""Takes the name of a digest and its value, returns a time-stamp token (DER)."""


@dataclass(frozen=True)
class Signer:
    """Who signs: an audit key, its certificate, and the certificates above it."""

    key: KeyHandle
    certificate: Certificate
    chain: tuple[Certificate, ...] = ()


@dataclass(frozen=True)
class Checkpoint:
    """A signed statement of a log's state, as received."""

    log: str
    """Leaf hash of the log's first entry, hexadecimal."""
    size: int
    root: bytes
    at: datetime
    previous: str | None
    """SHA-256 of the content of the checkpoint before, hexadecimal."""
    content: bytes = field(repr=False)
    signatures: tuple[SignedDataView, ...] = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the content, hexadecimal."""
        return sha256(self.content).hexdigest()

    def verify(self) -> tuple[str, ...]:
        """Check every signature and time-stamp with the certificates inside; return the suites.

        Raises BadSignature, MalformedInput, UnsupportedAlgorithm.
        """
        names = []
        for view in self.signatures:
            signer = view.signers[0]
            names.append(signer.verify())
            certificate = signer.certificate
            assert certificate is not None
            check_signing_certificate(signer, certificate)
            if oids.AUDIT_SIGNING not in certificate.extended_key_usage:
                raise BadSignature(f"{certificate.subject} may not sign checkpoints", reason="purpose")
            for token in self._tokens(view):
                token.verify(token.digest_name, suites.digest(token.digest_name, signer.signature))
        return tuple(names)

    @staticmethod
    def _tokens(view: SignedDataView) -> list[Any]:
        return [read_token(value) for value in view.signers[0].unsigned_values(oids.TIME_STAMP_TOKEN)]

    @property
    def stamped_at(self) -> datetime | None:
        """The earliest time-stamp, which `verify` has checked, or None."""
        return min((token.gen_time for view in self.signatures for token in self._tokens(view)), default=None)

    def signers(self, store: TrustStore) -> tuple[Certificate, ...]:
        """Return the signers' certificates; raise BadSignature where one does not lead to an anchor of `store`."""
        self.verify()
        found = []
        for view in self.signatures:
            certificate = view.signers[0].certificate
            assert certificate is not None
            result = validate_path(certificate, view.certificates, store, self.at, revocation="if-present")
            if not result.passed:
                last = result.checks[-1]
                raise BadSignature(
                    f"the checkpoint's signer {certificate.subject} is not trusted: {last.detail}", reason="path"
                )
            found.append(certificate)
        return tuple(found)


def parse(data: bytes) -> Checkpoint:
    """Read a checkpoint: PEM blocks of CMS over one content, or one in DER. Raises MalformedInput."""
    if len(data) > MAX_SIZE:
        raise MalformedInput("the checkpoint is too large")
    encoded = [block for label, block in pem_blocks(data) if label in ("CMS", "PKCS7")] or [data]
    if len(encoded) > MAX_SIGNATURES:
        raise MalformedInput(f"more than {MAX_SIGNATURES} signatures")
    views = tuple(parse_signed_data(item) for item in encoded)
    content = views[0].content
    if content is None or any(view.content != content or len(view.signers) != 1 for view in views):
        raise MalformedInput("not one content, signed by one signer in each block")
    return Checkpoint(*_read(content), content=content, signatures=views)


def _read(content: bytes) -> tuple[str, int, bytes, datetime, str | None]:
    value = canonical.decode(content, limit=4096)
    if not isinstance(value, dict) or set(value) != {"at", "log", "previous", "root", "schema", "size"}:
        raise MalformedInput("not a checkpoint")
    if value["schema"] != SCHEMA:
        raise MalformedInput(f"the checkpoint is not of schema {SCHEMA}")
    size = value["size"]
    if type(size) is not int or size < 1:
        raise MalformedInput("a checkpoint of no entries")
    previous = None if value["previous"] is None else hash_of(value["previous"]).hex()
    return hash_of(value["log"]).hex(), size, hash_of(value["root"]), moment_of(value["at"]), previous


def hash_of(text: Any) -> bytes:
    """Return the 32 octets that `text` spells in lower-case hexadecimal. Raises MalformedInput."""
    if not isinstance(text, str) or len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise MalformedInput("not a SHA-256 value in hexadecimal")
    return bytes.fromhex(text)


def make(log: AuditLog, signers: Sequence[Signer], at: datetime, *, stamp: Stamp | None = None) -> bytes:
    """Sign the log's state, store it in the log and return the file (PEM).

    Before the keys are used an entry says so; it is the first one the next checkpoint covers. Raises AuditError,
    TimeStampError, and what the keys raise.
    """
    if not signers:
        raise AuditError("a checkpoint needs a signer")
    leaves = tree.Growing(log.leaves())  # of a long log this takes seconds, for which nobody should wait
    with log.turn():
        leaves.extend(log.leaves(start=leaves.size))
        before = log.last_checkpoint()
        content = canonical.encode(
            {
                "schema": SCHEMA,
                "log": log.id,
                "size": leaves.size,
                "root": leaves.root.hex(),
                "at": text_of(at),
                "previous": parse(before).digest if before else None,
            }
        )
        digest = sha256(content).hexdigest()
        log.append("checkpoint-intent", size=leaves.size, digest=digest, suites=[s.key.suite.name for s in signers])
        encoded = "".join(armor("CMS", _sign(signer, content, at, stamp)) for signer in signers).encode()
        parse(encoded).verify()  # a faulty signature must not leave
        log.keep_checkpoint(leaves.size, encoded, digest=digest)
        return encoded


def _sign(signer: Signer, content: bytes, at: datetime, stamp: Stamp | None) -> bytes:
    suite, certificate = signer.key.suite, signer.certificate
    attributes = signed_attributes(suite, certificate, suites.digest(suite.digest_name, content), signing_time=at)
    signature = signer.key.sign(attributes)
    unsigned = []
    if stamp is not None:
        name = suite.stamp_digest_name
        unsigned.append(attribute(oids.TIME_STAMP_TOKEN, stamp(name, suites.digest(name, signature))))
    return assemble(
        suite,
        certificate,
        attributes,
        signature,
        content=content,
        chain=signer.chain,
        unsigned_attributes=unsigned,
    )
