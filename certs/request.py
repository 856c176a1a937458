"""Certificate requests (PKCS#10, RFC 2986): made for every suite, read from anybody.

    data = make_request(key, Subject("Anna Schmidt", country="DE"), AltNames(emails=("anna@example.com",)))
    request = load_request(data)                       # PEM or DER
    request.verify()                                   # "gost2012-256", or BadSignature: possession is not proven
    accepted = accept(request, profiles.load("person"))
    plan = authority.prepare(profile, accepted.subject, accepted.spki, names=accepted.names)

A key that cannot sign is asked for by a request that another key of the holder signs (`certs.possession`).

The octets received are kept: the signature is checked over them. A request is a wish: the profile decides what is
taken of it, `Accepted.passed_over` names the rest, and whoever approves it sees both. Only alternative names of the
kinds that the profile allows are taken; usages, constraints and everything else are the authority's to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from certs import ber, der, extensions, oids, possession, suites
from certs.alt_names import AltNames, read_alt_names
from certs.certificate import Certificate
from certs.encoded import Encoded
from certs.errors import BadSignature, IssuanceError, MalformedInput, UnsupportedAlgorithm
from certs.extension_values import Extension, read_extensions
from certs.keys.base import KeyHandle
from certs.names import Name
from certs.pem import armor, pem_blocks
from certs.possession import Statement, Voucher
from certs.profiles import Profile
from certs.subject import Subject
from certs.suites.base import Use, no_signature

LABELS = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
MAX_SIZE = 64 * 1024
"""Octets of one request; the largest key (ML-DSA-87) with its signature has about 7 KiB."""
MAX_ATTRIBUTES = 50


class _Parts:
    """The members of a request, split once."""

    __slots__ = ("algorithm", "attributes", "info", "signature", "spki", "subject")

    def __init__(self, encoded: bytes) -> None:
        if len(encoded) > MAX_SIZE:
            raise MalformedInput("a certificate request of more than 64 KiB")
        outer = ber.load(encoded).members()
        info = outer.next(ber.SEQUENCE)
        self.algorithm = outer.next(ber.SEQUENCE).definite()
        self.signature = outer.next().bit_string()
        outer.end()
        self.info = info.raw()
        members = info.members()
        if members.next().integer() not in (0, 1, 2):  # version 0 is v1, the only one; some write the number they mean
            raise MalformedInput("a certificate request of an unknown version")
        self.subject = Name(members.next(ber.SEQUENCE).raw())
        self.spki = members.next(ber.SEQUENCE).definite()
        wrapped = members.optional(ber.context(0))  # RFC 2986 4.1: always there, but some leave it out where empty
        members.end()
        self.attributes = _read_attributes(wrapped) if wrapped else ()
        _ = self.subject.attributes


def _read_attributes(value: ber.Value) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
    out: list[tuple[str, tuple[bytes, ...]]] = []
    for item in value:
        members = item.members()
        kind = members.next().oid()
        out.append((kind, tuple(member.raw() for member in members.next(ber.SET))))
        members.end()
        if len(out) > MAX_ATTRIBUTES:
            raise MalformedInput(f"a certificate request of more than {MAX_ATTRIBUTES} attributes")
    return tuple(out)


@dataclass(frozen=True)
class Request(Encoded[_Parts]):
    """A PKCS#10 request over its octets. Raises MalformedInput where it is none."""

    def _split(self, encoded: bytes) -> _Parts:
        return _Parts(encoded)

    @property
    def subject_name(self) -> Name:
        """The name asked for."""
        return self._parts.subject

    @cached_property
    def subject(self) -> str:
        """The name asked for, readable."""
        return str(self._parts.subject)

    @property
    def spki(self) -> bytes:
        """The key asked for: SubjectPublicKeyInfo, DER."""
        return self._parts.spki

    @property
    def info(self) -> bytes:
        """The octets that were signed."""
        return self._parts.info

    @property
    def signature_algorithm(self) -> bytes:
        """DER of the AlgorithmIdentifier."""
        return self._parts.algorithm

    @property
    def attributes(self) -> tuple[str, ...]:
        """OIDs of the attributes. The value of a challenge password is never shown."""
        return tuple(kind for kind, _ in self._parts.attributes)

    @cached_property
    def extensions(self) -> tuple[Extension, ...]:
        """The extensions asked for (RFC 2985 5.4.2, and the OID of Microsoft). Raises MalformedInput."""
        wanted = (oids.EXTENSION_REQUEST, oids.MS_EXTENSION_REQUEST)
        found = [value for kind, values in self._parts.attributes if kind in wanted for value in values]
        if len(found) > 1:
            raise MalformedInput("a certificate request with several lists of extensions")
        out = read_extensions(ber.load(found[0])) if found else ()
        kinds = [extension.oid for extension in out]
        if len(set(kinds)) != len(kinds):
            raise MalformedInput("a certificate request that asks twice for one extension")
        return out

    @cached_property
    def names(self) -> AltNames:
        """The alternative names asked for. Raises MalformedInput."""
        value = next((item.value for item in self.extensions if item.oid == oids.SUBJECT_ALT_NAME), None)
        return AltNames() if value is None else read_alt_names(value)

    @cached_property
    def statement(self) -> Statement | None:
        """Which certificate vouches for a key that cannot sign; None where the key signs for itself, or nobody does.

        Raises MalformedInput, and UnsupportedAlgorithm or BadKey for a key of no suite.
        """
        if not suites.for_spki(self.spki).encrypts_only:
            return None
        found = [values for kind, values in self._parts.attributes if kind == oids.STATEMENT_OF_POSSESSION]
        if not found:
            return None
        if len(found) > 1 or len(found[0]) != 1:
            raise MalformedInput("a certificate request with several statements of possession")
        return possession.read(found[0][0])

    def verify(self, voucher: Certificate | None = None) -> str:
        """Check that the requester has the key (RFC 2986 4.2), or that `voucher` says so; return the key's suite.

        SM2 signs with the identifier 1234567812345678 and Z (GM/T 0009 10); a request signed without is refused.
        `voucher` counts for a key that cannot sign, and nobody but the caller knows whether it is trusted. Raises
        BadSignature, UnsupportedAlgorithm, BadKey or MalformedInput.
        """
        parts = self._parts
        suite = suites.for_spki(parts.spki)
        if not suite.encrypts_only:
            return suites.verify(parts.spki, parts.algorithm, parts.signature, parts.info)
        if self.statement is None or voucher is None:
            raise no_signature(suite, hint="sign the request with another key of the holder: 'key request --by-key'")
        if not self.statement.is_of(voucher):
            raise BadSignature("the request names another certificate that vouches for its key", reason="voucher")
        suites.load_public(parts.spki)
        suites.verify(voucher.spki, parts.algorithm, parts.signature, parts.info)
        return suite.name

    @cached_property
    def pem(self) -> str:
        """PEM, with a final line feed."""
        return armor(LABELS[0], self.der)


def load_request(data: bytes) -> Request:
    """Return the one request in PEM or DER. Raises MalformedInput."""
    blocks = [encoded for label, encoded in pem_blocks(data) if label in LABELS]
    if len(blocks) > 1:
        raise MalformedInput("more than one certificate request in the file")
    if not blocks and data.lstrip()[:5] == b"-----":
        raise MalformedInput("no certificate request in the file")
    return Request(blocks[0] if blocks else data)


def make_request(
    key: KeyHandle,
    subject: Subject,
    names: AltNames | None = None,
    *,
    own: tuple[Extension, ...] = (),
    by: Voucher | None = None,
) -> bytes:
    """Return a request (DER) for `key`, signed with it, or by whoever vouches for a key that cannot sign.

    Alternative names, with the subject's e-mail address, and the extensions `own` stand in an extensionRequest. With
    `by` the name is that of the certificate there, as it stands. Raises BadIdentifier, MalformedInput, BadKey (a
    voucher that does not hold together), UnsupportedAlgorithm (a key that cannot sign without one, and one that can
    with it), or what the key's store raises.
    """
    if by is not None:
        by.check()
        if not key.suite.encrypts_only:
            raise UnsupportedAlgorithm(f"a key of {key.suite.name} signs its own request", suite=key.suite.name)
    names = (names or AltNames()).with_email(subject.email)
    wanted = [*([names.extension()] if names else []), *own]
    attributes = b""
    if wanted:
        values = der.sequence(*map(extensions.encode, wanted))
        attributes = der.sequence(der.oid(oids.EXTENSION_REQUEST), der.tlv(der.SET, values))
    if by is not None:
        # DER of a SET OF: the shorter encoding comes first where the one begins as the other does (X.690 11.6)
        attributes = b"".join(sorted(part for part in (attributes, possession.encode(by.certificate)) if part))
    name = subject.name() if by is None else by.certificate.subject_name.der
    signer = key if by is None else by.key
    info = der.sequence(der.integer(0), name, key.public_key.spki, der.tlv(0xA0, attributes))
    algorithm = signer.suite.signature_algorithm(Use.X509).der()
    request = Request(extensions.signed(info, algorithm, signer.sign(info)))
    request.verify(by.certificate if by is not None else None)
    return request.der


@dataclass(frozen=True)
class Accepted:
    """What a profile takes of a request whose sender has the key."""

    suite: str
    subject: Subject
    spki: bytes
    """The key in the form that our certificates have it."""
    names: AltNames
    passed_over: tuple[str, ...]
    """What was asked for and is not given, one short name each."""


def accept(
    request: Request,
    profile: Profile,
    *,
    subject: Subject | None = None,
    vouching: Callable[[Statement], Certificate] | None = None,
) -> Accepted:
    """Check possession and return what `profile` takes; `subject` is who was vetted, in place of the name asked for.

    `vouching` finds the certificate that vouches for a key that cannot sign (`certs.possession.certified`); without,
    no such key is taken. Raises BadSignature and what else `Request.verify` raises, UnsupportedAlgorithm for a key of a
    suite that is for old signatures only, IssuanceError where the voucher has another name, MalformedInput or
    BadIdentifier for a name that our certificates cannot carry.
    """
    statement = request.statement
    voucher = vouching(statement) if vouching is not None and statement is not None else None
    suite = request.verify(voucher)
    if voucher is not None and voucher.subject_name.key != request.subject_name.key:
        raise IssuanceError("who vouches for the key has another name than the request asks for")
    suites.not_old(suite)
    spki = suites.get(suite).usual_spki(request.spki)
    names = request.names
    taken = names.only(profile.alt_names)
    passed_over = [f"alternative names of kind {kind}" for kind in names.kinds if kind not in profile.alt_names]
    for extension in request.extensions:
        if extension.oid != oids.SUBJECT_ALT_NAME:
            passed_over.append(oids.name(extension.oid))
        else:
            unread = sum(1 for _ in ber.load(extension.value)) - len(names.emails) - len(names.dns) - len(names.ips)
            passed_over += ["alternative names of other kinds"] if unread > 0 else []
    return Accepted(suite, subject or Subject.of(request.subject_name), spki, taken, tuple(passed_over))
