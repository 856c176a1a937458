"""The framework agreement on electronic signatures: what the parties accept of one another.

    agreement = load_agreement(data, verify=verify)
    agreement.parties[0].conditions.suites
    octets = agreement_octets(data)              # what a signature under the agreement is bound to

A file in JSON or TOML (schema "sealroad.agreement/1", docs/agreement.schema.json), bare, inside a CMS signature, with
detached ones beside it, or with them and with what ended it in one file (`signer.layers.bundle`). Signatures are
verified as those of any document, and shown; a broken one fails the layer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from certs.errors import CertsError
from certs.signed_data import parse_signed_data
from signer.errors import BasisError
from signer.layers import bundle
from signer.layers.bundle import MAX_SIGNATURES, Signed
from signer.layers.conditions import Conditions, read_conditions
from signer.layers.reading import MAX_FILE, Table, parse
from signer.report import BasisFile, SignatureReport, stamp
from signer.text import LANGUAGES

SCHEMA = "sealroad.agreement/1"
TERMINATION = "sealroad.termination/1"
MAX_SIGNED = 4 * MAX_FILE
BINDINGS: Final = ("required", "optional")
CLAUSES: Final = ("valid", "parties", "binding", "retention_years", "notices")
NOTICES: Final = ("key-compromise", "revocation", "authority-change", "termination")
"""What one party tells the others of."""
MAX_YEARS: Final = 200
MAX_HOURS: Final = 24 * 366

Verify = Callable[[bytes, bytes | None], tuple[SignatureReport, ...]]
"""Verifies a CMS file, over a content where it is detached, and returns its signatures."""


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
class Ending:
    """What the parties signed to end an agreement, which itself never changes."""

    kind: Literal["termination", "supersession"]
    title: str
    sha256: str
    ends: str
    """SHA-256 of the agreement that it ends."""
    effective_from: datetime
    """From this moment on, inclusive, nothing is signed under the agreement any more."""
    signatures: tuple[SignatureReport, ...] = ()


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
    octets: bytes = field(default=b"", repr=False)
    """The agreement itself, without a signature around it: what signatures are bound to."""
    binding: bool = False
    """Whether a signature under the agreement must name it by its hash."""
    supersedes: str | None = None
    """SHA-256 of the agreement that ends where this one begins."""
    retention_years: int | None = None
    notices: tuple[tuple[str, int], ...] = ()
    """What one party tells the others of, and within how many hours."""
    by_all: bool = False
    """Whether the file says that every party signed; then every party's signature is looked for."""
    endings: tuple[Ending, ...] = ()

    def described(self) -> BasisFile:
        """Return what the report says about the file."""
        details = (
            ("number", self.number),
            ("valid_from", stamp(self.valid_from) if self.valid_from else ""),
            ("valid_to", stamp(self.valid_to) if self.valid_to else ""),
            ("prevailing_language", self.prevailing_language),
            ("governing_law", self.governing_law),
            ("forum", self.forum),
            ("retention_years", str(self.retention_years or "")),
            ("notices", ", ".join(f"{what} {hours} h" for what, hours in self.notices)),
            ("supersedes", self.supersedes or ""),
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
    if not bundle.is_bundle(data):
        signatures, octets = _signatures(Signed(data, tuple(detached)), verify)
        return replace(read_agreement(octets), signatures=signatures)
    found = bundle.read(data)
    signed = Signed(found.agreement.octets, (*found.agreement.signatures, *detached))
    signatures, octets = _signatures(signed, verify)
    made = replace(read_agreement(octets), signatures=signatures or (), by_all=True)
    endings = []
    for each in found.endings:
        others, body = _signatures(each, verify)
        ending = read_ending(body)
        if ending.ends != made.sha256:
            raise BasisError("ended_by: this ends another agreement")
        endings.append(replace(ending, signatures=others or ()))
    return replace(made, endings=tuple(endings))


def agreement_octets(data: bytes) -> bytes:
    """Return the agreement itself out of a file in any of its forms. Raises BasisError.

    Signatures on it are not looked at: whoever signs under an agreement has it, and need not prove it to themselves.
    """
    octets = bundle.read(data).agreement.octets if bundle.is_bundle(data) else _content(data) if _is_cms(data) else data
    read_agreement(octets)
    return octets


def _signatures(signed: Signed, verify: Verify | None) -> tuple[tuple[SignatureReport, ...] | None, bytes]:
    """Return the signatures, None where there is none, and what they are on."""
    data, detached = signed.octets, signed.signatures
    if not detached and not _is_cms(data):
        return None, data
    if verify is None:
        raise BasisError("the agreement is signed, and nobody is here to verify it")
    if len(detached) > MAX_SIGNATURES:
        raise BasisError(f"more than {MAX_SIGNATURES} signatures on the agreement")
    # a certificate or a signed PDF has a verdict too, which says nothing about the agreement
    if not all(map(_is_cms, detached)):
        raise BasisError("this is no CMS signature on the agreement", hint="make it with sealroad sign --detached")
    outside = tuple(one for cms in detached for one in verify(cms, data))
    if not _is_cms(data):
        return outside, data
    content = _content(data)
    return verify(data, None) + outside, content


def read_agreement(octets: bytes) -> Agreement:
    """Read the agreement itself. Raises BasisError."""
    table = parse(octets)
    if table.text("schema") != SCHEMA:
        raise table.fault("schema", f"this is not {SCHEMA}")
    parties = tuple(map(_party, table.tables("parties")))
    if not parties:
        raise table.fault("parties", "an agreement has parties")
    clauses = table.table("clauses")
    supersedes = table.digest("supersedes")
    made = Agreement(
        title=table.text("title", most=300),
        sha256=hashlib.sha256(octets).hexdigest(),
        parties=parties,
        valid_from=table.moment("valid_from"),
        valid_to=table.moment("valid_to"),
        clauses=tuple((key, clauses.text(key, most=200)) for key in CLAUSES if key in clauses),
        number=table.text("number", "", most=100),
        prevailing_language=table.choice("prevailing_language", LANGUAGES) or "",
        governing_law=table.text("governing_law", ""),
        forum=table.text("forum", ""),
        octets=octets,
        binding=table.choice("binding", BINDINGS) == "required",
        supersedes=supersedes,
        retention_years=table.whole("retention_years", least=1, most=MAX_YEARS),
        notices=tuple(map(_notice, table.tables("notices"))),
    )
    clauses.end()
    table.end()
    if made.valid_from and made.valid_to and made.valid_from > made.valid_to:
        raise table.fault("valid_to", "the end is before the beginning")
    if supersedes is not None and made.valid_from is None:
        raise table.fault("valid_from", "an agreement that ends another says from when")
    return made


def read_ending(octets: bytes) -> Ending:
    """Read what ends an agreement: a termination, or the agreement that supersedes it. Raises BasisError."""
    table = parse(octets)
    schema = table.text("schema")
    if schema == SCHEMA:
        made = read_agreement(octets)
        if made.supersedes is None or made.valid_from is None:
            raise BasisError("this agreement ends no other")
        return Ending("supersession", made.title, made.sha256, made.supersedes, made.valid_from)
    if schema != TERMINATION:
        raise table.fault("schema", f"this is neither {TERMINATION} nor {SCHEMA}")
    ends, moment = table.digest("terminates"), table.moment("effective_from")
    if ends is None:
        raise table.fault("terminates", "the agreement that ends is missing")
    if moment is None:
        raise table.fault("effective_from", "the moment is missing")
    title = table.text("title", most=300)
    table.text("reason", "")
    table.end()
    return Ending("termination", title, hashlib.sha256(octets).hexdigest(), ends, moment)


def _notice(table: Table) -> tuple[str, int]:
    what, hours = table.choice("of", NOTICES), table.whole("within_hours", least=1, most=MAX_HOURS)
    if what is None or hours is None:
        raise table.fault("of" if what is None else "within_hours", "this is missing")
    table.end()
    return what, hours


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
