"""The stamp a certificate speaks for: name, organisation, serial number, issuer and algorithm of the signer.

spec = certificate_stamp(certificate, "sm2", time=clock.now(), locale="zh")
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from certs import oids, suites
from certs.certificate import Certificate
from certs.suites.base import Family
from signer.appearance import StampSpec, algorithm_label

FAMILIES = {Family.CHINA: "cn", Family.RUSSIA: "ru"}


def certificate_stamp(
    certificate: Certificate,
    suite: str,
    *,
    time: datetime,
    reason: str | None = None,
    location: str | None = None,
    locale: str = "en",
    picture: bytes | None = None,
    name: str | None = None,
) -> StampSpec:
    """Return what a stamp says about a signer; `name` replaces the certificate's common name."""
    organisation = certificate.organisation
    shown = name or certificate.common_name or organisation or certificate.subject
    spec = StampSpec(
        name=shown,
        organisation=organisation if organisation != shown else None,
        time=time,
        reason=reason,
        location=location,
        serial=certificate.serial_hex,
        issuer=certificate.issuer_name.first(oids.COMMON_NAME),
        algorithm=algorithm_label(suite, locale),
        locale=locale,
        family=FAMILIES.get(suites.get(suite).family, ""),
    )
    return replace(spec, picture=picture) if picture is not None else spec
