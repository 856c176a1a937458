"""The service as the maker of seals: per suite a certificate of the suite's closed circle, and its key in the vault.

    maker = maker_for(context, "sm2", until=seal.valid_to)      # found, or made
    key = open_maker(context, maker)

A seal holds only as long as its maker's certificate does (GM/T 0031-2014 6.1.2, 3): one that ends before the seal is
passed over, and another is made. Two processes that make one at once make two, which harms nobody. Why the circle of
the suite is the maker: docs/decisions/0030.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from api.context import Context
from api.kit.ids import new_id
from api.pki.circles import UNKNOWN_COUNTRY
from api.seals import repository
from api.seals.models import SealMaker
from signer.errors import SealRefused

if TYPE_CHECKING:
    from certs.certificate import Certificate
    from certs.suites.base import PrivateKey

PROFILE = "seal-maker"


def maker_for(context: Context, suite: str, *, until: datetime) -> SealMaker:
    """Return a maker of seals of a suite whose certificate is good, and valid until a moment at least.

    Raises SealRefused where the circle can give none that lasts as long; IssuanceError, UnsupportedAlgorithm.
    """
    with context.database.read() as session:
        known = [maker for maker in repository.makers(session, suite) if maker.not_after >= until]
    circle = context.circles.get(suite)
    for maker in known:
        if circle.good(certificate_of(maker).serial):
            return maker
    maker = _made(context, suite)
    if maker.not_after < until:
        raise SealRefused(
            f"the certificate of the seal's maker would end first, on {maker.not_after:%Y-%m-%d}",
            hint="let the operator begin the next generation of the circle, or apply for a shorter validity",
            reason="maker",
            not_after=maker.not_after,
        )
    with context.database.write() as session:
        session.add(maker)
    return maker


def certificate_of(maker: SealMaker) -> Certificate:
    """Return the maker's certificate."""
    from certs.certificate import load_certificates

    return load_certificates(maker.certificates.encode())[0]


def open_maker(context: Context, maker: SealMaker) -> PrivateKey:
    """Return the maker's key. Raises VaultError, ServiceUnavailable."""
    return context.vault.open_key(maker.sealed_key, maker.id, maker.suite)


def _made(context: Context, suite: str) -> SealMaker:
    from certs import suites
    from certs.certificate import Subject

    settings, circle, key = context.settings, context.circles.get(suite), suites.get(suite).generate()
    organisation = settings.circle_organisation
    subject = Subject("Seal maker", organisation=organisation, country=settings.circle_country or UNKNOWN_COUNTRY)
    certificate = circle.issue(PROFILE, subject, key.public_key.spki)
    name = new_id("mkr")
    return SealMaker(
        id=name,
        suite=suite,
        certificates=circle.pem_with_chain(certificate),
        sealed_key=context.vault.seal(key, name),
        not_after=certificate.not_after,
        created_at=context.now(),
    )
