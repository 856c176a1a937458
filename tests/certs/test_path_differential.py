"""Chains of classical algorithms, made at random, judged by us and by the verifier of `cryptography` as well.

It knows neither revocation nor policies nor constraints on directory names, so these are left out. Where we accept, it
has to accept, with one exception (`LENIENT`). Where it accepts and we do not, the step that stopped us stands in
`STRICTER` with the reason.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from certs import der, extensions, oids
from certs.certificate import Certificate, Extension
from certs.path import PathResult, validate_path
from certs.trust import TrustStore
from tests.certs.forge import forge
from tests.conftest import NOW, keys_of

pytestmark = pytest.mark.filterwarnings("ignore")

KEYS = (*keys_of("ecdsa-p256"), *keys_of("ecdsa-p384"), *keys_of("rsa")[:2])
DAY = timedelta(days=1)

STRICTER = {
    "authority": "keyCertSign: with its own rules set aside, the other does not look at key usage",
    "purpose": "the same of key usage and extended key usage",
    "validity": "the dates of the anchor count for us",
    "extensions": "a critical extension of the anchor that is unknown counts for us",
    "names": "names and constraints of the anchor count for us; so do types that the other does not compare",
    "form": "basicConstraints of the anchor, constraints in a leaf",
}
"""Our step to why it may refuse what the other accepts."""

LENIENT = "only anchors without basicConstraints, as old roots are, are taken by us and not by the other"


def dns_names(tag: int, *hosts: str) -> bytes:
    return b"".join(der.tlv(tag, host.encode()) for host in hosts)


def constraints(permitted: list[str], excluded: list[str]) -> Extension:
    parts = b"".join(
        der.tlv(tag, b"".join(der.sequence(dns_names(0x82, host)) for host in hosts))
        for tag, hosts in ((0xA0, permitted), (0xA1, excluded))
        if hosts
    )
    return Extension(oids.NAME_CONSTRAINTS, True, der.sequence(parts))


HOSTS = st.sampled_from(["example.com", "www.example.com", "other.example", "a.b.example.com", "com"])


@st.composite
def level(draw: st.DrawFn) -> dict[str, Any]:
    """What one authority is like; mostly sound."""
    sound = draw(st.integers(0, 3)) > 0
    if sound:
        options: dict[str, Any] = {"ca": True}
    else:
        options = {
            "ca": draw(st.sampled_from([True, True, False])),
            "path_length": draw(st.none() | st.integers(0, 2)),
            "not_before": NOW + draw(st.sampled_from([-1, 0, 1])) * timedelta(seconds=1),
            "not_after": NOW + draw(st.sampled_from([-1, 0, 1, 10**7])) * timedelta(seconds=1),
            "usage": draw(st.sampled_from([None, ("key_cert_sign",), ("crl_sign",)])),
        }
        if not options["ca"]:
            options.pop("path_length")
    more: list[Extension] = []
    if draw(st.integers(0, 4)) == 0:
        permitted, excluded = draw(st.lists(HOSTS, max_size=2)), draw(st.lists(HOSTS, max_size=2))
        if permitted or excluded:
            more.append(constraints(permitted, excluded))
    if draw(st.integers(0, 9)) == 0:
        more.append(Extension("1.2.3.4.5", draw(st.booleans()), b"\x05\x00"))
    return options | {"more": more}


@st.composite
def chains(draw: st.DrawFn) -> list[Certificate]:
    """Anchor first, leaf last."""
    made: list[Certificate] = []
    issuer: Certificate | None = None
    issuer_key = key = draw(st.sampled_from(KEYS))
    for number in range(draw(st.integers(1, 4))):
        options = draw(level())
        name = f"Authority {number}"  # self-issued certificates are for PKITS: the other counts them in the path length
        if issuer is None:
            made.append(forge(name, key, None, key, **options))
        else:
            issuer_key, key = key, draw(st.sampled_from(KEYS))
            made.append(forge(name, key, issuer, issuer_key, serial=number + 2, **options))
        issuer = made[-1]
    names = dns_names(0x82, *draw(st.lists(HOSTS | st.just("*.example.com"), min_size=1, max_size=2)))
    more = [Extension(oids.SUBJECT_ALT_NAME, False, der.sequence(names))]
    if draw(st.integers(0, 5)) == 0:
        more.append(extensions.extended_key_usage([oids.CODE_SIGNING], critical=False))
    signer = key if draw(st.integers(0, 9)) else draw(st.sampled_from(KEYS))
    made.append(forge("Leaf", draw(st.sampled_from(KEYS)), issuer, signer, serial=99, more=more))
    return made


def ours(chain: list[Certificate]) -> PathResult:
    store = TrustStore(anchors=tuple(chain[:1]))
    return validate_path(chain[-1], chain[1:-1], store, NOW, purpose="tls-client", revocation="if-present")


def theirs(chain: list[Certificate]) -> bool:
    anchor, *pool, leaf = (x509.load_der_x509_certificate(item.der) for item in chain)
    authority = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    verifier = (
        PolicyBuilder()
        .store(Store([anchor]))
        .time(NOW.replace(tzinfo=None))
        .extension_policies(ca_policy=authority, ee_policy=ExtensionPolicy.permit_all())
        .build_client_verifier()
    )
    try:
        verifier.verify(leaf, pool)
    except VerificationError:
        return False
    return True


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(chains())
def test_we_are_never_more_lenient(chain: list[Certificate]) -> None:
    result, other = ours(chain), theirs(chain)
    event(f"ours {result.passed}, theirs {other}")
    if result.passed:
        assert other or chain[0].extension(oids.BASIC_CONSTRAINTS) is None, LENIENT
    elif other:
        assert result.checks[-1].id in STRICTER, result.detail
