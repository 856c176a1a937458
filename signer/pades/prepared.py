"""What was prepared for one signature: enough to record it, to sign elsewhere, and to complete it once.

    text = prepared.to_json()                 # stored before the key is used
    prepared = Prepared.from_json(text)
    value = token.sign(prepared.dtbs)         # the octets to sign; the digest of them is prepared.dtbs_digest

Holds no secret. It names the file only by its size and digests.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, fields
from typing import Any

from certs import suites
from certs.certificate import Certificate
from certs.errors import MalformedInput
from certs.suites.base import Suite, Use

SCHEMA = "sealroad.prepared/1"
MAX_TEXT = 16 << 20
"""A seal of the largest size is in it three times."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """One signature that was prepared. Octet strings are base64 in JSON."""

    suite: str
    """Name of the signer's suite."""
    field: str
    """Name of the signature field."""
    subfilter: str
    level: str
    """B-B or B-T: whether completing needs a time-stamp."""
    time_stamp_digest: str | None
    signed_at: str
    """Claimed time of signing (/M), ISO 8601."""
    source_size: int
    """Octets of the file before."""
    file_size: int
    """Octets of the prepared file."""
    file_sha256: str | None
    """SHA-256 of the prepared file, hexadecimal; None where it never left this process."""
    byte_range: tuple[int, int, int, int]
    contents_offset: int
    """Where the `<` of /Contents stands."""
    contents_size: int
    """Octets of CMS that fit in."""
    digest_name: str
    """Digest of document and attributes: "sha256", "sm3", "streebog256" …"""
    document_digest: bytes
    """Over /ByteRange."""
    dtbs: bytes
    """The octets to sign: signed attributes as DER SET OF, or TBS_Sign of a seal signature."""
    certificate_der: bytes
    chain_der: tuple[bytes, ...]
    seal_der: bytes | None = None
    """The seal that is applied."""
    seal_signature: str | None = None
    """In the national form: the preparation of the SES_Signature, as JSON."""
    policy_der: bytes | None = None
    """The value of signature-policy-identifier, where the signature is made under a framework agreement."""
    further_fields: tuple[str, ...] = ()
    """Names of the other fields that show it."""

    @property
    def certificate(self) -> Certificate:
        """The signer's certificate."""
        return Certificate(self.certificate_der)

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """What goes into the CMS beside it."""
        return tuple(Certificate(item) for item in self.chain_der)

    @property
    def dtbs_digest(self) -> bytes:
        """Digest of the octets to sign, for keys that take digests.

        For SM2 without the signer's Z value, which such keys add themselves (GB/T 32918.2 5.5).
        """
        return suites.digest(self.digest_name, self.dtbs)

    @property
    def digest_algorithm(self) -> str:
        """OID of the digest."""
        return suites.digest_oid(self.digest_name)

    @property
    def signature_algorithm(self) -> str:
        """OID of the signature algorithm in the CMS."""
        return self.suite_object.signature_algorithm(Use.CMS).oid

    @property
    def suite_object(self) -> Suite:
        """The suite. Raises UnsupportedAlgorithm or BackendUnavailable."""
        return suites.get(self.suite)

    def to_json(self) -> str:
        """Return the preparation as one line of JSON."""
        out: dict[str, Any] = {"schema": SCHEMA}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, bytes):
                value = _text(value)
            elif item.name == "chain_der":
                value = [_text(octets) for octets in value]
            out[item.name] = value
        return json.dumps(out, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes | dict[str, Any]) -> Prepared:
        """Read what `to_json` wrote. Raises MalformedInput."""
        try:
            if not isinstance(text, dict) and len(text) > MAX_TEXT:
                raise ValueError("too long")
            raw = dict(text) if isinstance(text, dict) else dict(json.loads(text))
            if raw.pop("schema", None) != SCHEMA:
                raise ValueError(f"the schema is not {SCHEMA}")
            for name in ("document_digest", "dtbs", "certificate_der"):
                raw[name] = _octets(raw[name])
            raw["chain_der"] = tuple(_octets(item) for item in raw["chain_der"])
            raw["byte_range"] = tuple(raw["byte_range"])
            # what older preparations do not have
            raw["seal_der"] = _octets(raw["seal_der"]) if raw.get("seal_der") is not None else None
            raw["policy_der"] = _octets(raw["policy_der"]) if raw.get("policy_der") is not None else None
            raw["further_fields"] = tuple(raw.get("further_fields", ()))
            prepared = cls(**raw)
            prepared._check()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise MalformedInput(f"this is no preparation of a signature: {error}") from error
        return prepared

    def _check(self) -> None:
        """Raise ValueError where the numbers cannot be."""
        numbers = (self.source_size, self.file_size, self.contents_offset, self.contents_size, *self.byte_range)
        if any(type(number) is not int or not 0 <= number < 1 << 40 for number in numbers) or len(self.byte_range) != 4:
            raise ValueError("a number is none")
        start, before, behind, length = self.byte_range
        fits = (
            start == 0
            and self.source_size < before == self.contents_offset
            and behind == before + 2 * self.contents_size + 2
            and behind + length == self.file_size
        )
        if not fits:
            raise ValueError("the numbers contradict one another")
        names = (self.suite, self.field, self.subfilter, self.level, self.signed_at, self.digest_name)
        names += (*self.further_fields, *(() if self.seal_signature is None else (self.seal_signature,)))
        if not all(isinstance(name, str) for name in names):
            raise ValueError("a text is none")


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _octets(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
