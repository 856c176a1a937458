"""What a draft says: read strictly, spelt in one way, and every fault named with its place.

terms = read(body)                      # ValidationFailed, BasisError
terms.octets                            # RFC 8785: what will be signed
party = index_of(signers, certificate)  # whose signature a certificate makes
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from api.agreements.states import Kind
from api.errors import AgreementRefused
from api.kit.fields import Text
from api.kit.refusals import problem_at, refuse
from certs import canonical
from certs.errors import MalformedInput
from signer.errors import BasisError

if TYPE_CHECKING:
    from certs.certificate import Certificate
    from signer.layers import Party

_TEXT: TypeAdapter[str] = TypeAdapter(Text)
MAX_PARTIES = 50


@dataclass(frozen=True)
class Terms:
    """What a draft says."""

    kind: Kind
    octets: bytes
    title: str
    parties: tuple[Party, ...]
    """None of a termination: it ends what others agreed on, and is theirs."""
    valid_from: datetime | None
    valid_to: datetime | None
    ends: str | None
    """SHA-256 of the agreement that it ends."""


def read(body: dict[str, Any]) -> Terms:
    """Read a draft. Raises ValidationFailed, BasisError."""
    from signer.layers.agreement import TERMINATION, read_agreement, read_ending

    _check_texts(body, "/agreement")
    try:
        octets = canonical.encode(body)
    except MalformedInput as error:
        raise refuse("/agreement", "not-canonical", f"has no canonical spelling (RFC 8785): {error}") from None
    if body.get("schema") == TERMINATION:
        end = read_ending(octets)
        return Terms(Kind.TERMINATION, octets, end.title, (), end.effective_from, None, end.ends)
    made = read_agreement(octets)
    if len(made.parties) > MAX_PARTIES:
        raise BasisError(f"parties: more than {MAX_PARTIES}")
    _check_parties(made.parties)
    return Terms(Kind.AGREEMENT, octets, made.title, made.parties, made.valid_from, made.valid_to, made.supersedes)


def index_of(parties: Sequence[Party], certificate: Certificate) -> int:
    """Return which party signs with a certificate. Raises AgreementRefused where it is nobody's."""
    from signer.layers.standing import party_of
    from signer.verification.cms import describe

    party = party_of(describe(certificate), parties)
    if party is None:
        raise AgreementRefused(
            f"the certificate is of no party: {certificate.subject}",
            hint="a party is known by its certificates, else by its identifiers, else by its name",
            reason="agreement-party",
        )
    return list(parties).index(party)


def same_parties(old: Sequence[Party], new: Sequence[Party]) -> bool:
    """Tell whether all parties of an agreement are parties of the one that supersedes it."""
    return all(any(_marks(each, all_of_them=True) & _marks(other, all_of_them=True) for other in new) for each in old)


def _check_parties(parties: Sequence[Party]) -> None:
    """Refuse two parties that one certificate could be of: the second could never sign."""
    seen: set[tuple[str, ...]] = set()
    for index, party in enumerate(parties):
        marks = _marks(party)
        if marks & seen:
            raise refuse(f"/agreement/parties/{index}", "repeated", "is known by the same as one before it")
        seen |= marks


def _marks(party: Party, *, all_of_them: bool = False) -> set[tuple[str, ...]]:
    """Return what a party is known by; `all_of_them`: also what does not count where something stronger is given."""
    certificates: set[tuple[str, ...]] = {("certificate", each) for each in party.certificates}
    identifiers: set[tuple[str, ...]] = {("identifier", *each) for each in party.identifiers}
    name: set[tuple[str, ...]] = {("name", " ".join(party.name.casefold().split()))}
    if all_of_them:
        return certificates | identifiers | name
    return certificates or identifiers or name


def _check_texts(value: Any, pointer: str, depth: int = 0) -> None:
    """Refuse characters that people do not see, or that turn the direction of what they see."""
    if depth > canonical.MAX_DEPTH:
        raise refuse("/agreement", "not-canonical", "is nested too deep")
    if isinstance(value, dict):
        for key, item in value.items():
            _check_texts(key, pointer, depth)
            _check_texts(item, f"{pointer}/{key}", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_texts(item, f"{pointer}/{index}", depth + 1)
    elif isinstance(value, str) and value:
        try:
            _TEXT.validate_python(value)
        except ValidationError:
            problem = problem_at(pointer, "characters", "control and direction characters are not accepted")
            raise refuse(problem["pointer"], problem["code"], problem["detail"]) from None
