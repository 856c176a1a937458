"""The carrier's side: a key that never meets the service, and the carrier's own certification authority.

carrier = OwnKey.create(CARRIER, clock)
carrier.bundle                       # PEM: certificate and chain; all that the service gets
carrier.sign(dtbs)                   # the value that is handed in
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.demo.cast import Company
    from certs.certificate import Certificate
    from certs.clock import Clock
    from certs.suites.base import PrivateKey

CRL_DAYS = 90
"""How long the carrier's revocation lists are current."""


@dataclass(frozen=True)
class OwnKey:
    """A signing key, its certificate, and the authority that issued it."""

    key: PrivateKey
    certificate: Certificate
    chain: tuple[Certificate, ...]
    """Issuing and root certificate."""
    crls: tuple[bytes, bytes]
    """DER: of the root, of the issuing authority."""

    @classmethod
    def create(cls, company: Company, clock: Clock) -> OwnKey:
        """Make an authority, a key and a certificate for whoever signs for the company.

        The authority's keys are forgotten when this returns: it issues one certificate and two revocation lists.
        """
        from certs import suites
        from certs.ca import ClosedCircle
        from certs.certificate import Subject
        from certs.identifiers import Identifier
        from certs.ledger import MemoryLedger

        authority = ClosedCircle.create(
            company.suite,
            organisation=f"{company.latin_name} (demo)",
            country=company.country,
            clock=clock,
            ledger=MemoryLedger(),
        )
        key = suites.get(company.suite).generate()
        subject = Subject(
            common_name=company.signatory,
            organisation=company.organisation,
            country=company.country,
            locality=company.city,
            title=company.title,
            identifiers=tuple(Identifier(scheme, value) for _, scheme, value in company.identifiers),
        )
        certificate = authority.issue("organisation", subject, key.public_key.spki)
        crls = (authority.root_authority.crl(days=CRL_DAYS), authority.issuing.crl(days=CRL_DAYS))
        return cls(key, certificate, authority.chain, crls)

    @property
    def root(self) -> Certificate:
        """The root certificate: what the others must trust."""
        return self.chain[-1]

    @property
    def bundle(self) -> str:
        """The certificate and its chain, PEM."""
        return "".join(certificate.pem for certificate in (self.certificate, *self.chain))

    def sign(self, dtbs: bytes) -> bytes:
        """Return the signature value over the octets that the service asks to be signed."""
        return self.key.sign(dtbs)

    def save(self, directory: Path) -> None:
        """Write `key.pem` (0600, not encrypted: it is a demo's key) and `certificate.pem`."""
        from certs import files
        from certs.keys import file as key_file

        key_file.save(directory / "key.pem", self.key, None)
        files.write(directory / "certificate.pem", self.bundle.encode())
