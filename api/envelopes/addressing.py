"""To whom an envelope goes and who sends it: parties and certificates as a request names them, found and checked.

recipients = recipients_of(context, tenant_id, [Wanted(party=party), Wanted(pem=pem)])    # makes keys where needed
check(context, recipients, basis)                                                         # or RecipientRefused
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from api.context import Context
from api.contracts.models import Party
from api.envelopes import keys
from api.kit.ids import new_id
from api.kit.refusals import problem_at
from certs.certificate import Certificate, load_certificates
from signer.errors import RecipientRefused

if TYPE_CHECKING:
    from api.seals.models import Seal

MAX_CHAIN: Final = 10
"""Certificates of a recipient that are looked at: its own and its chain."""
OWN_SUITES: Final = {"international": "ecdsa-p256", "china": "sm2", "russia": "gost2012-256"}
"""With what the service signs, for the recipients of each family."""


@dataclass(frozen=True)
class Wanted:
    """Somebody who is to read the content: a party, or whoever a certificate belongs to, or both."""

    party: Party | None = None
    pem: str | None = None
    """For encryption, with chain. Without one, a party's certificate is the one that the service has or makes."""


@dataclass(frozen=True)
class Recipient:
    """Whoever is encrypted to."""

    certificates: tuple[Certificate, ...]
    """The recipient's, then its chain as far as it is known."""
    party_id: str | None = None
    key_id: str | None = None
    """The key for decryption, where the service holds it."""

    def row(self) -> dict[str, Any]:
        """Return what an envelope's row says of it."""
        certificate = self.certificates[0]
        suite = certificate.public_key().suite
        return {
            "id": new_id("rcp"),
            "party": self.party_id,
            "key": self.key_id,
            "certificates": "".join(each.pem for each in self.certificates),
            "suite": suite.name,
            "family": str(suite.family),
        }

    @classmethod
    def of(cls, row: dict[str, Any]) -> Recipient:
        """Return it from a row."""
        return cls(load_certificates(row["certificates"].encode()), row["party"], row["key"])


@dataclass(frozen=True)
class Basis:
    """What the check of the recipients stands on besides the service's own circles."""

    trust: tuple[str, ...] = ()
    """Certificates and revocation lists, PEM."""
    revocation: Literal["require", "if-present"] = "require"

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {"trust": list(self.trust), "revocation": self.revocation}

    @classmethod
    def of(cls, value: dict[str, Any]) -> Basis:
        """Return it from plain data."""
        return cls(tuple(value["trust"]), cast("Literal['require', 'if-present']", value["revocation"]))


def recipients_of(context: Context, tenant_id: str, wanted: Sequence[Wanted]) -> tuple[Recipient, ...]:
    """Return the recipients; a party whose key the service holds gets a key for decryption if it has none.

    Raises RecipientRefused for a party without a certificate; IssuanceError, MalformedInput.
    """
    refusals = [(index, reason) for index, each in enumerate(wanted) if (reason := _objection(each))]
    if refusals:
        raise _refused(refusals)
    return tuple(_recipient(context, tenant_id, each) for each in wanted)


def check(context: Context, recipients: Sequence[Recipient], basis: Basis) -> None:
    """Raise RecipientRefused where there is one to whom nothing may be encrypted at this moment; names each of them."""
    from signer.encryption.recipients import check_recipients

    store = context.circles.trust_store(tuple(item.encode() for item in basis.trust))
    certificates = [each.certificates[0] for each in recipients]
    pool = [certificate for each in recipients for certificate in each.certificates[1:]]
    try:
        check_recipients(certificates, store, context.now(), pool=pool, revocation=basis.revocation)
    except RecipientRefused as error:
        reasons = {item["certificate"]: item["reason"] for item in error.facts["refused"]}
        prints = [certificate.fingerprint() for certificate in certificates]
        raise _refused(
            [(index, reasons[item]) for index, item in enumerate(prints) if item in reasons], error
        ) from error


def _objection(wanted: Wanted) -> str | None:
    """Return why nothing can be encrypted to a party, before any certificate is looked at."""
    if wanted.pem is None and wanted.party is not None and wanted.party.suite is None:
        return "the party has no certificate"
    return None


def _recipient(context: Context, tenant_id: str, wanted: Wanted) -> Recipient:
    party = wanted.party
    if wanted.pem is not None or party is None:
        return Recipient(_bundle(wanted.pem or ""), party.id if party is not None else None)
    if party.key_holder == "service":
        held = keys.key_for(context, tenant_id, party)
        return Recipient(_bundle(held.pem), party.id, held.id)
    return Recipient(_bundle(party.certificates or ""), party.id)


def _bundle(pem: str) -> tuple[Certificate, ...]:
    return load_certificates(pem.encode())[:MAX_CHAIN]


def _refused(reasons: Sequence[tuple[int, str]], error: RecipientRefused | None = None) -> RecipientRefused:
    errors = [problem_at(f"/recipients/{index}", "recipient-refused", reason) for index, reason in reasons]
    index, reason = reasons[0]
    message = error.message if error is not None else f"nothing is encrypted to recipient {index + 1}: {reason}"
    hint = error.hint if error is not None else "give its certificate for encryption, or leave it out"
    return RecipientRefused(message, hint=hint, errors=errors)


@dataclass(frozen=True)
class Sender:
    """Whose key signs the manifest: a party's before it has signed, a seal's, or the service's own."""

    suite: str
    certificates: str
    """PEM, with chain."""
    party_id: str | None = None
    seal_id: str | None = None
    key_id: str | None = None
    """The service's own key."""

    @classmethod
    def own(cls, context: Context, tenant_id: str, family: str) -> Sender:
        """Return the service as a sender in a family. Raises IssuanceError, ProfileError, UnsupportedAlgorithm."""
        held = keys.own_key(context, tenant_id, OWN_SUITES[family])
        return cls(held.suite, held.pem, key_id=held.id)

    @classmethod
    def party(cls, party: Party) -> Sender:
        """Return a party as a sender."""
        return cls(party.suite or "", party.certificates or "", party_id=party.id)

    @classmethod
    def seal(cls, seal: Seal) -> Sender:
        """Return a seal as a sender. Raises SealRefused."""
        from api.seals import applying

        return cls(seal.suite, applying.bundle_of(seal, None), seal_id=seal.id)

    @property
    def family(self) -> str:
        """The family of the key."""
        from certs import suites

        return str(suites.get(self.suite).family)

    def row(self) -> dict[str, Any]:
        """Return what an envelope's row says of it; the use of a seal has its id from the beginning."""
        return {
            "party": self.party_id,
            "seal": self.seal_id,
            "use": new_id("use") if self.seal_id is not None else None,
            "key": self.key_id,
            "certificates": self.certificates,
            "suite": self.suite,
            "family": self.family,
        }
