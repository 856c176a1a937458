"""Asks for the certificates and lists that a chain lacks, at the addresses its certificates name.

    gatherer = Gatherer(fetch, limits, deadline)
    gatherer.more(result)                     # True: something came that may change the answer
    gatherer.certificates, gatherer.crls, gatherer.ocsps, gatherer.notes

authorityInfoAccess caIssuers (RFC 5280 4.2.2.1) for a chain that ends early, cRLDistributionPoints (4.2.1.13) for one
without a usable list, and where no list comes the OCSP responder (RFC 6960). Only http and https are asked; ldap,
directory names and names relative to the issuer, which Chinese and Russian authorities write beside them, are noted.
What comes is trusted for nothing. What may be reached is the fetcher's decision (`certs.fetch` refuses private
addresses).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from certs import ber, oids
from certs.certificate import Certificate, load_certificates
from certs.crl import CRL, load_crls
from certs.errors import CertsError
from certs.names import decode_text, printable
from certs.ocsp import OCSPResponse, make_request
from certs.path_result import Limits, PathResult

if TYPE_CHECKING:
    from certs.fetch import Fetcher

DIRECTORY_NAME, URI = 0xA4, 0x86
OCSP_REQUEST, OCSP_RESPONSE = "application/ocsp-request", "application/ocsp-response"
MAX_FROM_ONE_ADDRESS = 16
"""Certificates taken out of one bundle."""


class Gatherer:
    """What was fetched for one validation."""

    def __init__(self, fetch: Fetcher | None, limits: Limits, deadline: float) -> None:
        self._fetch, self._limits, self._deadline = fetch, limits, deadline
        self._asked: set[str] = set()
        self._noted: dict[str, None] = {}
        self.certificates: tuple[Certificate, ...] = ()
        self.crls: tuple[CRL, ...] = ()
        self.ocsps: tuple[OCSPResponse, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was asked, what failed, and which addresses we do not ask."""
        return tuple(self._noted)

    def more(self, result: PathResult) -> bool:
        """Fetch what `result` lacks; tell whether it is worth to validate again."""
        if self._fetch is None:
            return False
        if result.sub_indication == "NO_CERTIFICATE_CHAIN_FOUND":
            return self._issuers(result.chain[-1])
        if result.sub_indication == "TRY_LATER" or (result.passed and self._unanswered(result)):
            return self._status(result.chain)
        return False

    @staticmethod
    def _unanswered(result: PathResult) -> bool:
        """Tell whether revocation was not required and is not known."""
        return any(check.id == "revocation" and check.result == "not-checked" for check in result.checks)

    def _issuers(self, certificate: Certificate) -> bool:
        for url in self._usable(_ca_issuers(certificate), f"issuer of {certificate.subject}"):
            body = self._get(url)
            if body is None:
                continue
            try:
                found = load_certificates(body)[:MAX_FROM_ONE_ADDRESS]
            except CertsError as error:
                self._note(f"{printable(url)} holds no certificate: {error}")
                continue
            if any(item.subject_name.key == certificate.issuer_name.key for item in found):
                self.certificates = (*self.certificates, *found)
                return True
            self._note(f"{printable(url)} does not hold the issuer of {certificate.subject}")
        return False

    def _status(self, chain: tuple[Certificate, ...]) -> bool:
        """Ask for one list or one answer per certificate that could do, from the anchor down."""
        before = len(self.crls) + len(self.ocsps)
        for certificate, issuer in reversed(tuple(pairwise(chain))):
            if not self._list(certificate):
                self._answer(certificate, issuer)
        return len(self.crls) + len(self.ocsps) > before

    def _list(self, certificate: Certificate) -> bool:
        for url in self._usable(_distribution_points(certificate), f"list for {certificate.subject}"):
            body = self._get(url)
            if body is None:
                continue
            try:
                self.crls = (*self.crls, *load_crls(body))
            except CertsError as error:
                self._note(f"{printable(url)} holds no revocation list: {error}")
                continue
            return True
        return False

    def _answer(self, certificate: Certificate, issuer: Certificate) -> None:
        """Ask a responder, without a nonce, which many do not answer (RFC 5019 2.1.1): dates tell how fresh it is."""
        for url in certificate.ocsp_urls:
            key = f"{url}#{certificate.serial:x}"
            if key in self._asked:
                continue
            request = make_request([(certificate, issuer)], nonce=None)
            body = self._get(url, key=key, body=request, content_type=OCSP_REQUEST, accept=OCSP_RESPONSE)
            if body is None:
                continue
            try:
                response = OCSPResponse(body)
            except CertsError as error:
                self._note(f"{printable(url)} gives no OCSP answer: {error}")
                continue
            if response.status == "successful":
                self.ocsps = (*self.ocsps, response)
                return
            self._note(f"{printable(url)} answers {response.status}")

    def _usable(self, names: Iterator[bytes], what: str) -> Iterator[str]:
        """Yield addresses not yet asked; note what cannot be."""
        for name in names:
            value = ber.load(name)
            if value.tag == DIRECTORY_NAME:
                self._note(f"{what}: a directory name is not fetched")
            elif value.tag != URI:
                self._note(f"{what}: a name of type {value.tag & 0x1F} is not fetched")
            else:
                url = decode_text(0x16, value.content())
                if not url.lower().startswith(("http://", "https://")):
                    self._note(f"{what}: {printable(url.partition(':')[0][:20])}: is not fetched")
                elif url not in self._asked:
                    yield url

    def _get(self, url: str, *, key: str | None = None, **more: Any) -> bytes | None:
        assert self._fetch is not None
        if len(self._asked) >= self._limits.fetches or time.monotonic() > self._deadline:
            self._note("no more addresses were asked: the budget is spent")
            return None
        self._asked.add(key or url)
        try:
            body = self._fetch(url, **more)
        except CertsError as error:
            self._note(f"{printable(url)}: {error}")
            return None
        self._note(f"{printable(url)} was fetched")
        return body

    def _note(self, text: str) -> None:
        self._noted[text] = None


def _ca_issuers(certificate: Certificate) -> Iterator[bytes]:
    """Yield the GeneralNames of caIssuers; an extension that cannot be read has none."""
    extension = certificate.extension(oids.AUTHORITY_INFO_ACCESS)
    try:
        for item in ber.load(extension.value).expect(ber.SEQUENCE) if extension else ():
            members = item.members()
            if members.next().oid() == oids.CA_ISSUERS:
                yield members.next().raw()
    except CertsError:
        return


def _distribution_points(certificate: Certificate) -> Iterator[bytes]:
    for point in certificate.distribution_points:
        yield from point.names
