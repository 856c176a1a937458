"""Applications for certificates: who wants what, and how we know who they are. Plain JSON, without personal documents.

    proofing = Proofing("anna", "in-person", now, evidence=(Evidence("passport", sha256),))
    application = Application.new(authority.id, "seal", subject, spki, now, expires, proofing=proofing)
    application.digest                        # what officers approve, and what the ledger refers to
    dossier = Dossier(application)            # application and approvals: one file, `sealroad.dossier/1`
    dossier = parse(dossier.encode())         # MalformedInput

The digest is over the canonical JSON of the application, so a file may be indented as people like. Documents that
were looked at are not inside, only their digests: the file can be kept with the ledger, the documents where the law
wants them. The number of a passport is short enough to be guessed, so its digest is made with a random salt
(`number_digest`) that is kept with the document and not here.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from certs import canonical, suites
from certs.approvals import one_more, read_approvals, same_person
from certs.audit.log import moment_of, text_of
from certs.certificate import Certificate
from certs.errors import CertsError, MalformedInput
from certs.identifiers import Identifier
from certs.pem import armor
from certs.subject import Subject

SCHEMA = "sealroad.application/1"
DOSSIER = "sealroad.dossier/1"
METHODS = ("in-person", "document", "remote-video", "qualified-signature", "registry-extract")
"""How somebody was identified (cf. ETSI TS 119 461 9.2)."""
MAX_SIZE = 1024 * 1024
MAX_HOURS = 72
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_HASH = re.compile(r"[0-9a-f]{64}")
_SUBJECT_TEXTS = tuple(item.name for item in fields(Subject) if item.name != "identifiers")


@dataclass(frozen=True)
class Evidence:
    """Something that was looked at, by its digest."""

    kind: str
    """For example "passport", "registry-extract", "video"."""
    digest: str
    """SHA-256 of the file, or of a document's number by `number_digest`; hexadecimal."""


@dataclass(frozen=True)
class Proofing:
    """Who was identified, how, by whom and when."""

    officer: str
    method: str
    """One of METHODS."""
    at: datetime
    person: str | None = None
    """Who was identified, where it is not the subject: the person who acts for an organisation."""
    evidence: tuple[Evidence, ...] = ()

    def value(self) -> dict[str, Any]:
        """Return it as JSON."""
        out: dict[str, Any] = {"officer": self.officer, "method": self.method, "at": text_of(self.at)}
        if self.person is not None:
            out["person"] = self.person
        out["evidence"] = [{"kind": item.kind, "sha256": item.digest} for item in self.evidence]
        return out

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, hexadecimal."""
        return sha256(canonical.encode(self.value())).hexdigest()


def number_digest(number: str) -> tuple[str, str]:
    """Return the digest of a document's number and the salt, both hexadecimal.

    The salt belongs to the document; who has both can show which number was meant, who has one cannot guess it.
    """
    salt = secrets.token_bytes(32)
    return hmac.new(salt, number.encode(), sha256).hexdigest(), salt.hex()


@dataclass(frozen=True)
class Application:
    """What is asked for. Immutable: whoever changes a letter has another application, which nobody has approved."""

    id: str
    """32 hexadecimal digits, random."""
    authority: str
    """Key identifier of the authority, hexadecimal."""
    profile: str
    subject: Subject
    spki: bytes
    created: datetime
    expires: datetime
    """After this moment it is neither approved nor issued."""
    proofing: Proofing | None = None
    days: int | None = None
    hours: int | None = None
    """Validity in hours in place of days: for one-time signers."""
    contract: str | None = None
    """SHA-256 of the one contract the key is for, hexadecimal."""
    request: str | None = None
    """SHA-256 of the certificate request the key came with, hexadecimal."""

    @classmethod
    def new(
        cls,
        authority: str,
        profile: str,
        subject: Subject,
        spki: bytes,
        created: datetime,
        expires: datetime,
        **more: Any,
    ) -> Application:
        """Return an application under a new random number. Raises MalformedInput, BadIdentifier, BadKey."""
        draft = cls(secrets.token_hex(16), authority, profile, subject, spki, created, expires, **more)
        return _application(draft.value())  # by the reader, so that what is written can be read

    def value(self) -> dict[str, Any]:
        """Return it as JSON."""
        subject: dict[str, Any] = {
            name: getattr(self.subject, name) for name in _SUBJECT_TEXTS if getattr(self.subject, name) is not None
        }
        if self.subject.identifiers:
            subject["identifiers"] = [str(item) for item in self.subject.identifiers]
        out: dict[str, Any] = {
            "schema": SCHEMA,
            "id": self.id,
            "authority": self.authority,
            "profile": self.profile,
            "subject": subject,
            "public_key": base64.b64encode(self.spki).decode(),
            "created": text_of(self.created),
            "expires": text_of(self.expires),
        }
        for name in ("days", "hours", "contract", "request"):
            if getattr(self, name) is not None:
                out[name] = getattr(self, name)
        if self.proofing is not None:
            out["identity_proofing"] = self.proofing.value()
        return out

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, hexadecimal."""
        return sha256(canonical.encode(self.value())).hexdigest()

    def conflict(self, certificate: Certificate) -> str:
        """Return why an officer with `certificate` may not approve: same key, same name, or an identifier in common."""
        subject = self.subject
        names = (subject.common_name, self.proofing.person if self.proofing else None)
        same = same_person(certificate, self.spki, subject.name(), names, subject.identifiers)
        return "is the applicant" if same else ""


@dataclass(frozen=True)
class Dossier:
    """An application with the approvals collected so far."""

    application: Application
    approvals: tuple[bytes, ...] = ()
    """CMS, DER."""

    def with_(self, approval: bytes) -> Dossier:
        """Return a dossier with one approval more. Raises ApprovalError."""
        return replace(self, approvals=one_more(self.approvals, approval))

    def encode(self) -> bytes:
        """Return the file, for people to read."""
        value = {
            "schema": DOSSIER,
            "application": self.application.value(),
            "approvals": [armor("CMS", item) for item in self.approvals],
        }
        return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def parse(data: bytes) -> Dossier:
    """Read a dossier, or an application alone. Raises MalformedInput."""
    value = canonical.read(data, limit=MAX_SIZE)
    if not isinstance(value, dict):
        raise MalformedInput("not an application")
    if value.get("schema") == SCHEMA:
        return Dossier(_application(value))
    if value.get("schema") != DOSSIER or set(value) != {"schema", "application", "approvals"}:
        raise MalformedInput(f"not of schema {DOSSIER}")
    approvals = read_approvals(value["approvals"])
    return Dossier(_application(value["application"]), approvals)


# reading -------------------------------------------------------------------------------------------------------------
_REQUIRED = {"schema", "id", "authority", "profile", "subject", "public_key", "created", "expires"}
_OPTIONAL = {"days", "hours", "contract", "request", "identity_proofing"}


def _object(value: Any, required: set[str], optional: set[str], what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not required <= set(value) <= required | optional:
        raise MalformedInput(f"{what} has members missing or unknown")
    return value


def _text(value: Any, what: str, pattern: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 256 or (pattern and not pattern.fullmatch(value)):
        raise MalformedInput(f"{what} is missing or malformed")
    return value


def _number(value: Any, most: int, what: str) -> int | None:
    if value is not None and (type(value) is not int or not 0 < value <= most):
        raise MalformedInput(f"{what} must lie between 1 and {most}")
    return value


def _application(value: Any) -> Application:
    members = _object(value, _REQUIRED, _OPTIONAL, "the application")
    if members["schema"] != SCHEMA:
        raise MalformedInput(f"the application is not of schema {SCHEMA}")
    try:
        spki = base64.b64decode(_text_long(members["public_key"]), validate=True)
        suites.not_old(suites.load_public(spki).suite.name)
    except (ValueError, CertsError) as error:
        raise MalformedInput(f"the public key of the application cannot be used: {error}") from error
    if members.get("days") is not None and members.get("hours") is not None:
        raise MalformedInput("an application for days or for hours, not both")
    application = Application(
        id=_text(members["id"], "the number", re.compile("[0-9a-f]{32}")),
        authority=_text(members["authority"], "the authority", re.compile("[0-9a-f]{8,64}")),
        profile=_text(members["profile"], "the profile", _NAME),
        subject=_subject(members["subject"]),
        spki=spki,
        created=moment_of(members["created"]),
        expires=moment_of(members["expires"]),
        proofing=_proofing(members["identity_proofing"]) if "identity_proofing" in members else None,
        days=_number(members.get("days"), 36525, "days"),
        hours=_number(members.get("hours"), MAX_HOURS, "hours"),
        contract=_text(members["contract"], "the contract's digest", _HASH) if "contract" in members else None,
        request=_text(members["request"], "the request's digest", _HASH) if "request" in members else None,
    )
    if application.expires <= application.created:
        raise MalformedInput("the application expires before it was made")
    return application


def _text_long(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 65536:
        raise MalformedInput("the public key is missing or too long")
    return value


def _subject(value: Any) -> Subject:
    members = _object(value, {"common_name"}, {*_SUBJECT_TEXTS, "identifiers"}, "the subject")
    identifiers = members.get("identifiers", [])
    if not isinstance(identifiers, list) or len(identifiers) > 20:
        raise MalformedInput("identifiers that are no list, or too many")
    texts = {name: _text(members[name], name.replace("_", " ")) for name in _SUBJECT_TEXTS if name in members}
    try:
        subject = Subject(
            **texts, identifiers=tuple(Identifier.parse(_text(item, "an identifier")) for item in identifiers)
        )
        subject.name()
    except MalformedInput:
        raise
    except CertsError as error:
        raise MalformedInput(f"the subject is wrong: {error}") from error
    return subject


def _proofing(value: Any) -> Proofing:
    members = _object(value, {"officer", "method", "at", "evidence"}, {"person"}, "the identity proofing")
    if members["method"] not in METHODS:
        raise MalformedInput("identified in a way we do not know", hint="known: " + ", ".join(METHODS))
    evidence = members["evidence"]
    if not isinstance(evidence, list) or not 0 < len(evidence) <= 50:
        raise MalformedInput("an identity proofing without evidence, or with too much")
    found = []
    for item in evidence:
        one = _object(item, {"kind", "sha256"}, set(), "the evidence")
        found.append(
            Evidence(_text(one["kind"], "the kind of evidence", _NAME), _text(one["sha256"], "its digest", _HASH))
        )
    return Proofing(
        officer=_text(members["officer"], "the officer", _NAME),
        method=members["method"],
        at=moment_of(members["at"]),
        person=_text(members["person"], "the person") if "person" in members else None,
        evidence=tuple(found),
    )
