"""The framework agreement on electronic signatures: what the parties accept of one another.

    agreement = load_agreement(data, verify=verify)
    agreement.parties[0].conditions.suites

A file in JSON or TOML (schema "sealroad.agreement/1", docs/agreement.schema.json), bare, inside a CMS signature, or
with detached ones beside it. Signatures are verified as those of any document, and shown; a broken one fails the layer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from certs.errors import CertsError
from certs.signed_data import parse_signed_data
from signer.errors import BasisError
from signer.layers.conditions import Conditions, read_conditions
from signer.layers.reading import MAX_FILE, Table, parse
from signer.report import BasisFile, SignatureReport, stamp
from signer.text import LANGUAGES

SCHEMA = "sealroad.agreement/1"
MAX_SIGNED = 4 * MAX_FILE

Verify = Callable[[bytes, bytes | None], tuple[SignatureReport, ...]]
"""Verifies a CMS file, over a content where it is detached, and returns its signatures."""
MAX_SIGNATURES = 50


@dataclass(frozen=True)
class Party:
    """One party and what its signatures must be."""

    name: str
    country: str
    identifiers: tuple[tuple[str, str], ...]
    """Scheme and value, as in the report; where there are any, a signer is known by them."""
    certificates: tuple[str, ...]
    """SHA-256 of the party's certificates; where there are any, nothing else is the party's."""
    conditions: Conditions


@dataclass(frozen=True)
class Agreement:
    """The agreement, and the file it came from."""

    title: str
    sha256: str
    """Of the agreement itself, without a signature around it; hexadecimal."""
    parties: tuple[Party, ...]
    valid_from: datetime | None
    valid_to: datetime | None
    """The last moment, inclusive."""
    clauses: tuple[tuple[str, str], ...]
    number: str
    prevailing_language: str
    governing_law: str
    forum: str
    signatures: tuple[SignatureReport, ...] | None = None
    """None: the file carries no signature."""

    def described(self) -> BasisFile:
        """Return what the report says about the file."""
        details = (
            ("number", self.number),
            ("valid_from", stamp(self.valid_from) if self.valid_from else ""),
            ("valid_to", stamp(self.valid_to) if self.valid_to else ""),
            ("prevailing_language", self.prevailing_language),
            ("governing_law", self.governing_law),
            ("forum", self.forum),
        )
        return BasisFile(
            "agreement",
            self.title,
            self.sha256,
            details=tuple((key, value) for key, value in details if value),
            signatures=self.signatures,
        )


def load_agreement(data: bytes, *, verify: Verify | None = None, detached: Sequence[bytes] = ()) -> Agreement:
    """Read an agreement, with detached CMS signatures over the file. Raises BasisError.

    `verify` judges the signatures of a signed file; without it a signed file is refused, for an agreement whose
    signatures nobody looked at must not pass for one without any.
    """
    signatures = None
    if detached or _is_cms(data):
        if verify is None:
            raise BasisError("the agreement is signed, and nobody is here to verify it")
        if len(detached) > MAX_SIGNATURES:
            raise BasisError(f"more than {MAX_SIGNATURES} signatures on the agreement")
        # a certificate or a signed PDF has a verdict too, which says nothing about the agreement
        if not all(map(_is_cms, detached)):
            raise BasisError("this is no CMS signature on the agreement", hint="make it with sealroad sign --detached")
        outside = tuple(one for cms in detached for one in verify(cms, data))
        inside: tuple[SignatureReport, ...] = ()
        if _is_cms(data):
            content = _content(data)
            inside, data = verify(data, None), content
        signatures = inside + outside
    table = parse(data)
    if table.text("schema") != SCHEMA:
        raise table.fault("schema", f"this is not {SCHEMA}")
    parties = tuple(map(_party, table.tables("parties")))
    if not parties:
        raise table.fault("parties", "an agreement has parties")
    clauses = table.table("clauses")
    made = Agreement(
        title=table.text("title", most=300),
        sha256=hashlib.sha256(data).hexdigest(),
        parties=parties,
        valid_from=table.moment("valid_from"),
        valid_to=table.moment("valid_to"),
        clauses=tuple((key, clauses.text(key, most=200)) for key in ("valid", "parties") if key in clauses),
        number=table.text("number", "", most=100),
        prevailing_language=table.choice("prevailing_language", LANGUAGES) or "",
        governing_law=table.text("governing_law", ""),
        forum=table.text("forum", ""),
        signatures=signatures,
    )
    clauses.end()
    table.end()
    if made.valid_from and made.valid_to and made.valid_from > made.valid_to:
        raise table.fault("valid_to", "the end is before the beginning")
    return made


def _party(table: Table) -> Party:
    identifiers = []
    for item in table.tables("identifiers"):
        identifiers.append((item.text("scheme", most=40), item.text("value", most=100)))
        item.end()
    made = Party(
        name=table.text("name", most=300),
        country=table.text("country", "", most=2),
        identifiers=tuple(identifiers),
        certificates=table.digests("certificates") or (),
        conditions=read_conditions(table),
    )
    table.end()
    return made


def _is_cms(data: bytes) -> bool:
    from signer.verification.kinds.cms import looks_like

    return len(data) <= MAX_SIGNED and looks_like(data)


def _content(data: bytes) -> bytes:
    from signer.verification.kinds.cms import inner

    try:
        content = parse_signed_data(inner(data) or data).content
    except CertsError as error:
        raise BasisError(f"the signed agreement cannot be read: {error}") from error
    if content is None:
        raise BasisError("the signature does not carry the agreement", hint="sign it with the content inside")
    return content
