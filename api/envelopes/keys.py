"""Keys for decryption that the service holds for parties: made when somebody first encrypts to one.

    held = key_for(context, tenant_id, party)            # found, or made
    key = open_held(context, tenant_id, held.id)

A party's certificate is for signing, and nothing is encrypted to such a one; so it gets a second certificate, of the
profile `encryption` and of the circle of its suite. A process killed at any instant leaves nothing unaccounted:

 1. the plan is on record in the authority's ledger: nothing is signed yet
 2. the key is on record here, sealed, with the serial number of the certificate it waits for
 3. the authority signs, and the certificate becomes the tenant's (`api.certificates.issuing`)

A key whose certificate never came is passed over, and deleted after a day. Two processes that make one at once make
two, which harms nobody. Unlike keys for signing, these stay when a contract is over: what was encrypted is to be read
later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy.orm import Session

from api.certificates import issuing
from api.context import Context
from api.contracts.models import Party
from api.contracts.people import proven
from api.contracts.readiness import CERTIFICATE_LIFE, subject_of
from api.envelopes import repository
from api.envelopes.models import EnvelopeKey
from api.errors import StateConflict
from api.kit.ids import new_id

if TYPE_CHECKING:
    from certs.suites.base import PrivateKey

PROFILE: Final = "encryption"
UNCERTIFIED_LIFE: Final = timedelta(days=1)
"""How long a key waits for a certificate."""


@dataclass(frozen=True)
class Held:
    """A key for decryption that is held here."""

    id: str
    pem: str
    """Its certificate, with chain."""


def key_for(context: Context, tenant_id: str, party: Party) -> Held:
    """Return a key of a party whose certificate is good.

    Raises IssuanceError, ProfileError, UnsupportedAlgorithm; IdentityNotProven where a new one would have to be made.
    """
    assert party.suite is not None
    with context.database.read() as session:
        known = repository.keys_of(session, tenant_id, party.id, party.suite, context.now())
    circle = context.circles.get(party.suite)
    for key, certificate in known:
        if circle.good(int(certificate.serial, 16)):
            return Held(key.id, certificate.pem)
    return _made(context, tenant_id, party)


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
    return context.vault.open_key(row.sealed_key, row.id, row.suite)


def _made(context: Context, tenant_id: str, party: Party) -> Held:
    from certs import suites

    suite = suites.get(party.suite or "")
    identity = proven(context, tenant_id, party, "")
    key, name = suite.generate(), new_id("enk")
    plan = context.circles.get(suite.name).prepare(
        PROFILE, subject_of(party), key.public_key.spki, days=CERTIFICATE_LIFE.days
    )
    serial = f"{plan.serial:x}"
    row = EnvelopeKey(
        id=name,
        tenant_id=tenant_id,
        party_id=party.id,
        suite=suite.name,
        serial=serial.rjust(len(serial) + len(serial) % 2, "0"),
        sealed_key=context.vault.seal(key, name),
        created_at=context.now(),
    )
    with context.database.write() as session:
        session.add(row)
    return Held(name, issuing.issue_for_service(context, tenant_id, suite.name, plan, identity).pem)
