"""Which octets each time-stamp attribute of a CAdES signature is over, and what it therefore covers.

    claims = claims_of(view, signer, certificate, source)
    for claim in claims.readable:
        claim.token, claim.imprint("sha256"), claim.covers()

| attribute | over | covers |
| --- | --- | --- |
| signature-time-stamp (RFC 3161 A) | the value of the signature | it, and the certificate that it names |
| CAdES-C-time-stamp (RFC 5126 6.3.5) | that, its time-stamps, the complete references | also those time-stamps |
| archive-time-stamp-v3 (EN 319 122-1 5.5.3) | content, SignerInfo, an index of digests | whatever is in the index |

The older archive time-stamps depend on how the octets were ordered when they were made; they are listed and not
computed. In an index every digest must be that of something that is here: one that is not says that something was
taken away (5.5.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from certs import ber, der, oids, suites
from certs.certificate import Certificate
from certs.errors import BadSignature, CertsError, MalformedInput, UnsupportedAlgorithm
from certs.signed_data import SignedDataView, SignerView, digest_name
from certs.timestamp import TimeStampToken, read_token
from signer.verification.poe import MAX_TOKENS, TIME_STAMP_ATTRIBUTES, covered_by

if TYPE_CHECKING:
    from signer.verification.cms import Source

COMPLETE_REFERENCES = (oids.COMPLETE_CERTIFICATE_REFERENCES, oids.COMPLETE_REVOCATION_REFERENCES)
MAX_INDEX = 5000


@dataclass(frozen=True)
class Claim:
    """One time-stamp token and what it is about."""

    kind: str
    token: TimeStampToken
    imprint: Callable[[str], bytes]
    """Returns the digest the token must be over; raises CertsError."""
    covers: Callable[[], tuple[bytes, ...]]
    """Returns the objects whose existence a believed token proves."""
    digests: Callable[[], tuple[str, ...]] = tuple
    """Returns the digests, besides the token's own, that stand between it and what it covers; raises CertsError."""


@dataclass(frozen=True)
class Claims:
    """Every time-stamp attribute of one signature."""

    readable: tuple[Claim, ...]
    unreadable: tuple[str, ...]
    """Why the others cannot be read."""


def claims_of(view: SignedDataView, signer: SignerView, certificate: Certificate, source: Source) -> Claims:
    """Return the time-stamps in the unsigned attributes of `signer`, whose certificate is `certificate`."""
    readable: list[Claim] = []
    unreadable: list[str] = []
    makers = {
        oids.TIME_STAMP_TOKEN: lambda token: _over_signature(signer, certificate, token),
        oids.CADES_C_TIME_STAMP: lambda token: _over_references(signer, certificate, token),
        oids.ARCHIVE_TIME_STAMP_V3: lambda token: _over_archive(view, signer, certificate, source, token),
    }
    count = 0
    for oid, values in signer.unsigned_attributes:
        kind = TIME_STAMP_ATTRIBUTES.get(oid)
        for encoded in values if kind else ():
            count += 1
            if count > MAX_TOKENS:
                unreadable.append(f"more than {MAX_TOKENS} time-stamps")
                return Claims(tuple(readable), tuple(unreadable))
            try:
                token = read_token(encoded)
            except CertsError as error:
                unreadable.append(f"{kind}: {error}")
                continue
            readable.append(makers.get(oid, lambda token, kind=kind: _unknown(kind or "", token))(token))
    return Claims(tuple(readable), tuple(unreadable))


def _named(signer: SignerView, certificate: Certificate) -> tuple[bytes, ...]:
    """Return the value of the signature, and the certificate where the signed attributes name it."""
    try:
        named = signer.signing_certificates
        sure = bool(named) and named[0].matches(certificate)
    except CertsError:
        sure = False
    return (signer.signature, certificate.der) if sure else (signer.signature,)


def _over_signature(signer: SignerView, certificate: Certificate, token: TimeStampToken) -> Claim:
    return Claim(
        "signature-time-stamp",
        token,
        lambda name: suites.digest(name, signer.signature),
        lambda: _named(signer, certificate),
    )


def _over_references(signer: SignerView, certificate: Certificate, token: TimeStampToken) -> Claim:
    wanted = (oids.TIME_STAMP_TOKEN, *COMPLETE_REFERENCES)
    stand = [(oid, attribute.content()) for oid, attribute in _attributes(signer) if oid in wanted]

    def imprint(name: str) -> bytes:
        """Take the order of RFC 5126 6.3.5; some signers take the order the attributes stand in. Without headers."""
        orders = (sorted(stand, key=lambda item: wanted.index(item[0])), stand)
        found = [suites.digest(name, signer.signature + b"".join(part for _, part in order)) for order in orders]
        return found[1] if found[1] == token.imprint else found[0]

    def covers() -> tuple[bytes, ...]:
        stamped = replace(signer, unsigned_attributes=_only(signer, oids.TIME_STAMP_TOKEN))
        inner = (read_token(value) for value in stamped.unsigned_values(oids.TIME_STAMP_TOKEN))
        found = [octets for item in inner for octets in covered_by(item.signed_data, 1)]
        return (*_named(signer, certificate), *found)

    return Claim("CAdES-C-time-stamp", token, imprint, covers)


def _unknown(kind: str, token: TimeStampToken) -> Claim:
    def imprint(_: str) -> bytes:
        raise UnsupportedAlgorithm(f"what an {kind} is over is not computed")

    return Claim(kind, token, imprint, tuple)


# -- archive-time-stamp-v3 ----------------------------------------------------------------------------


def _over_archive(
    view: SignedDataView, signer: SignerView, certificate: Certificate, source: Source, token: TimeStampToken
) -> Claim:
    """EN 319 122-1 5.5.3: the imprint is over content type, digest of the content, SignerInfo and the index."""
    # read once, and when it is asked for: what is wrong with it is wrong with this claim only
    index = cache(lambda: _Index(token))
    named = cache(lambda: index().match(view, signer))

    def imprint(name: str) -> bytes:
        named()
        parts = list(ber.load(signer.encoded))
        if parts[-1].tag == ber.context(1):  # unsigned attributes are in the index
            parts = parts[:-1]
        fields = b"".join(part.definite() for part in parts)
        return suites.digest(name, der.oid(view.content_type) + source.digest(name) + fields + index().encoded)

    def covers() -> tuple[bytes, ...]:
        matched, attributes = named()
        part = replace(
            view,
            certificates=tuple(item for item in view.certificates if item.der in matched),
            crls=tuple(raw for raw in view.crls if raw in matched),
            signers=(replace(signer, unsigned_attributes=attributes),),
        )
        return (*_named(signer, certificate), *covered_by(part))

    return Claim("archive-time-stamp-v3", token, imprint, covers, lambda: (index().digest,))


class _Index:
    """ATSHashIndex or ATSHashIndexV3 in the unsigned attributes of a token (EN 319 122-1 5.5.2)."""

    def __init__(self, token: TimeStampToken) -> None:
        for oid in (oids.ATS_HASH_INDEX_V3, oids.ATS_HASH_INDEX):
            values = token.signer.unsigned_values(oid)
            if values:
                break
        else:
            raise MalformedInput("an archive-time-stamp-v3 without ats-hash-index")
        if len(values) > 1:
            raise MalformedInput("an archive-time-stamp-v3 with two ats-hash-index")
        self.by_value = oid == oids.ATS_HASH_INDEX_V3
        self.encoded = values[0]
        members = ber.load(self.encoded).members()
        algorithm = members.next() if members.peek() == ber.SEQUENCE else None
        rest = [algorithm] if algorithm is not None else []
        while members.peek() is not None:
            rest.append(members.next())
        # hashIndAlgorithm is DEFAULT SHA-256 in the first version: where it is absent only the three lists are there
        if len(rest) == 4:
            self.digest = digest_name(rest.pop(0).members().next().oid())
        else:
            self.digest = "sha256"
        if len(rest) != 3:
            raise MalformedInput("an ats-hash-index of another form")
        self.certificates, self.crls, self.attributes = (self._digests(item) for item in rest)

    @staticmethod
    def _digests(value: ber.Value) -> frozenset[bytes]:
        found = [item.octets() for item in value.expect(ber.SEQUENCE)]
        if len(found) > MAX_INDEX:
            raise MalformedInput("an ats-hash-index that is too long")
        return frozenset(found)

    def match(
        self, view: SignedDataView, signer: SignerView
    ) -> tuple[frozenset[bytes], tuple[tuple[str, tuple[bytes, ...]], ...]]:
        """Return what the index names: certificates and lists as encoded, and unsigned attributes.

        Raises BadSignature where it names something that is not here.
        """
        matched: set[bytes] = set()
        for named, present in ((self.certificates, view.certificate_choices), (self.crls, view.crls)):
            by_digest = {suites.digest(self.digest, raw): raw for raw in present}
            self._all_here(named, by_digest)
            matched |= {by_digest[digest] for digest in named}
        values = {
            suites.digest(self.digest, hashed): (oid, value)
            for oid, attribute in _attributes(signer)
            for hashed, value in self._hashed(attribute)
        }
        self._all_here(self.attributes, values)
        found: dict[str, list[bytes]] = {}
        for digest, (oid, inner) in values.items():
            if digest in self.attributes:
                found.setdefault(oid, []).extend(inner)
        return frozenset(matched), tuple((oid, tuple(inner)) for oid, inner in found.items())

    def _hashed(self, attribute: ber.Value) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
        """Yield what is hashed, and the values in it: the attribute, or in the third version type and one value."""
        members = attribute.members()
        kind, values = members.next(), list(members.next(ber.SET))
        if self.by_value:
            yield from ((kind.raw() + value.raw(), (value.raw(),)) for value in values)
        else:
            yield attribute.raw(), tuple(value.raw() for value in values)

    @staticmethod
    def _all_here(named: frozenset[bytes], present: Mapping[bytes, object]) -> None:
        if not named <= present.keys():
            raise BadSignature("the archive time-stamp names something that is not here", reason="imprint")


def _attributes(signer: SignerView) -> Iterator[tuple[str, ber.Value]]:
    """Yield the unsigned attributes as they stand in the SignerInfo."""
    parts = list(ber.load(signer.encoded)) if signer.encoded else []
    if parts and parts[-1].tag == ber.context(1):
        for attribute in parts[-1]:
            yield attribute.members().next().oid(), attribute


def _only(signer: SignerView, oid: str) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
    return tuple(item for item in signer.unsigned_attributes if item[0] == oid)
