"""Time-stamps from an authority over HTTP (RFC 3161 3.4).

    stamper = HTTPTimestamper("https://tsa.example/", HTTPFetcher())
    token = stamper.stamp("sm3", digest)

The answer is checked before it is used: status, imprint, nonce, policy, signature. Whether the authority is trusted
is for whoever verifies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from certs.certificate import Certificate
from certs.errors import CertsError, TimeStampError
from certs.fetch import Fetcher, HTTPFetcher
from certs.timestamp import check_response, make_request


@dataclass(frozen=True)
class HTTPTimestamper:
    """One authority at one address."""

    url: str
    fetcher: Fetcher = field(default_factory=HTTPFetcher)
    policy: str | None = None
    """OID of the policy to ask for."""
    certificates: Sequence[Certificate] = ()
    """Where the authority leaves its certificate out."""

    def stamp(self, digest_name: str, digest: bytes) -> bytes:
        """Return a checked token (DER). Raises TimeStampError whatever the reason."""
        request = make_request(digest_name, digest, policy=self.policy)
        try:
            answer = self.fetcher(
                self.url,
                body=request,
                content_type="application/timestamp-query",
                accept="application/timestamp-reply",
            )
            return check_response(answer, request, others=self.certificates).der
        except TimeStampError:
            raise
        except CertsError as error:
            raise TimeStampError(
                f"no time-stamp from {self.url}: {error}", hint=error.hint, reason=error.code
            ) from error
