"""Keys that the service holds: parties' for decryption, and its own, with which it sends and records.

    held = key_for(context, tenant_id, party)            # found, or made when somebody first encrypts to the party
    held = own_key(context, tenant_id, "sm2")            # with which the service vouches for what it did
    key = open_held(context, tenant_id, held.id)

A party's certificate is for signing, and nothing is encrypted to such a one; so it gets a second certificate, of the
profile `encryption` and of the circle of its suite; where that suite only signs, for a key of the one that goes with it
(`certs.suites.for_encryption`). A process killed at any instant leaves nothing unaccounted:

 1. the plan is on record in the authority's ledger: nothing is signed yet
 2. the key is on record here, sealed, with the serial number of the certificate it waits for
 3. the authority signs, and the certificate becomes the tenant's (`api.certificates.issuing`)

A key whose certificate never came is passed over, and deleted after a day. Two processes that make one at once make
two, which harms nobody. Unlike keys for signing, these stay when a contract is over: what was encrypted is to be read
later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.orm import Session

from api.certificates import issuing
from api.context import Context
from api.contracts.models import Party
from api.contracts.people import proven
from api.contracts.subjects import CERTIFICATE_LIFE, subject_of
from api.envelopes import repository
from api.envelopes.models import EnvelopeKey
from api.errors import StateConflict
from api.kit.ids import new_id
from api.pki.circles import UNKNOWN_COUNTRY
from certs.certificate import Subject

if TYPE_CHECKING:
    from certs.suites.base import PrivateKey

PROFILE: Final = "encryption"
OWN_PROFILE: Final = "service"
UNCERTIFIED_LIFE: Final = timedelta(days=1)
"""How long a key waits for a certificate."""


@dataclass(frozen=True)
class Held:
    """A key that is held here."""

    id: str
    suite: str
    pem: str
    """Its certificate, with chain."""
    sealed_key: bytes = field(repr=False)


def key_for(context: Context, tenant_id: str, party: Party) -> Held:
    """Return a key of a party whose certificate is good.

    Raises IssuanceError, ProfileError, UnsupportedAlgorithm; IdentityNotProven where a new one would have to be made.
    """
    assert party.suite is not None
    if (found := _found(context, tenant_id, party.id, party.suite)) is not None:
        return found
    identity = proven(context, tenant_id, party, "")
    return _made(context, tenant_id, party.suite, PROFILE, subject_of(party), party.id, identity)


def own_key(context: Context, tenant_id: str, suite: str) -> Held:
    """Return a good key with which the service signs for a tenant. Raises as `key_for`."""
    settings = context.settings
    subject = Subject(
        common_name="Contract service",
        organisation=settings.circle_organisation,
        country=settings.circle_country or UNKNOWN_COUNTRY,
    )
    found = _found(context, tenant_id, None, suite)
    return found or _made(context, tenant_id, suite, OWN_PROFILE, subject, None, None)


def open_own(context: Context, held: Held) -> PrivateKey:
    """Return the key that `own_key` found good just now. Raises VaultError, ServiceUnavailable."""
    return context.vault.open_key(held.sealed_key, held.id, held.suite)


def usable(context: Context, session: Session, tenant_id: str, key_id: str) -> EnvelopeKey:
    """Return a held key, unless its certificate is revoked or on hold: that stops the use of the key.

    One that has expired only opens what was encrypted before. Raises NotFound, StateConflict.
    """
    row = repository.key(session, tenant_id, key_id)
    if not context.circles.get(row.suite).good(int(row.serial, 16)):
        raise StateConflict("the certificate of the key is revoked or on hold", state="revoked", allowed=[])
    return row


def open_held(context: Context, tenant_id: str, key_id: str) -> PrivateKey:
    """Return the key itself. Raises NotFound, StateConflict, VaultError, ServiceUnavailable."""
    with context.database.read() as session:
        row = usable(context, session, tenant_id, key_id)
    return context.vault.open_key(row.sealed_key, row.id, _key_suite(row.suite, row.party_id))


def _found(context: Context, tenant_id: str, party_id: str | None, suite: str) -> Held | None:
    with context.database.read() as session:
        known = repository.keys_of(session, tenant_id, party_id, suite, context.now())
    circle = context.circles.get(suite)
    for key, certificate in known:
        if circle.good(int(certificate.serial, 16)):
            return Held(key.id, key.suite, certificate.pem, key.sealed_key)
    return None


def _made(
    context: Context,
    tenant_id: str,
    suite: str,
    profile: str,
    subject: Subject,
    party_id: str | None,
    identity: dict[str, Any] | None,
) -> Held:
    from certs import suites

    key, name = suites.get(_key_suite(suite, party_id)).generate(), new_id("enk")
    plan = context.circles.get(suite).prepare(profile, subject, key.public_key.spki, days=CERTIFICATE_LIFE.days)
    serial, sealed = f"{plan.serial:x}", context.vault.seal(key, name)
    row = EnvelopeKey(
        id=name,
        tenant_id=tenant_id,
        party_id=party_id,
        suite=suite,
        serial=serial.rjust(len(serial) + len(serial) % 2, "0"),
        sealed_key=sealed,
        created_at=context.now(),
    )
    with context.database.write() as session:
        session.add(row)
    issued = issuing.issue_for_service(context, tenant_id, suite, plan, identity)
    return Held(name, suite, issued.pem, sealed)


def _key_suite(suite: str, party_id: str | None) -> str:
    """Return the suite of a key: a party's is for decryption, the service's own signs."""
    from certs import suites

    return suite if party_id is None else suites.for_encryption(suite)
