"""Chains of classical algorithms, made at random or by others, judged by us and by the verifier of `cryptography` too.

It knows neither revocation nor policies nor constraints on directory names, so these are left out. Where we accept, it
has to accept, with one exception (`LENIENT`). Where it accepts and we do not, the step that stopped us stands in
`STRICTER` with the reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from certs import der, extensions, oids
from certs.certificate import Certificate, Extension
from certs.errors import CertsError
from certs.path import PathResult, validate_path
from certs.signed_data import parse_signed_data
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
    return refusal(chain, NOW) is None


def refusal(chain: Sequence[Certificate], at: datetime) -> str | None:
    """Return why the other refuses a chain, anchor first, or None."""
    try:
        anchor, *pool, leaf = (x509.load_der_x509_certificate(item.der) for item in chain)
        authority = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
        verifier = (
            PolicyBuilder()
            .store(Store([anchor]))
            .time(at.replace(tzinfo=None))
            .extension_policies(ca_policy=authority, ee_policy=ExtensionPolicy.permit_all())
            .build_client_verifier()
        )
        verifier.verify(leaf, pool)
    except (VerificationError, ValueError) as error:
        return str(error)
    return None


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(chains())
def test_we_are_never_more_lenient(chain: list[Certificate]) -> None:
    result, other = ours(chain), theirs(chain)
    event(f"ours {result.passed}, theirs {other}")
    if result.passed:
        assert other or chain[0].extension(oids.BASIC_CONSTRAINTS) is None, LENIENT
    elif other:
        assert result.checks[-1].id in STRICTER, result.detail


# -- chains of real authorities -----------------------------------------------------------------------

OTHER_DEMANDS = {
    "serial number cannot be negative": "form: for us a remark, since real authorities do it",
    "unaccounted-for critical extension": "critical policies, distribution points and the like, which we process",
    "Forbidden signature algorithm": "its list is that of the web; ours is `certs.suites.policy`",
    "Forbidden public key algorithm": "the same of keys: brainpool, P-521, EdDSA",
    "must be UtcTime": "form: a date as GeneralizedTime before 2050",
    "missing required extension": "anchors without basicConstraints, as old roots are",
    "error parsing asn1": "BER, names in other string types",
    "invalid version": "old roots of version 1",
}
"""Words in the other's refusal to why we accept: none of these says that the chain is not genuine."""


def certificates_in(directory: Path) -> tuple[dict[bytes, Certificate], dict[bytes, Certificate]]:
    """Return all certificates in the CMS of signed PDFs, and those of their signers."""
    found: dict[bytes, Certificate] = {}
    leaves: dict[bytes, Certificate] = {}
    for path in sorted(directory.rglob("*.pdf")):
        for digits in re.findall(rb"/Contents\s*<([0-9A-Fa-f\s]{200,})>", path.read_bytes()):
            try:
                view = parse_signed_data(bytes.fromhex(digits.decode()))
            except (CertsError, ValueError):
                continue
            found |= {item.der: item for item in view.certificates}
            leaves |= {item.der: item for signer in view.signers if (item := signer.certificate)}
    return found, leaves


@pytest.mark.corpus
def test_chains_of_real_authorities(corpus: Path) -> None:
    """Everything self-signed is an anchor and the moment is the middle of the leaf's life: only the chain is judged.

    No refusal of the other says that a chain we accept is not genuine. Where this is not so any more, this fails, and
    says which words are new.
    """
    pool, leaves = certificates_in(corpus / "pdf")
    store = TrustStore(anchors=tuple(item for item in pool.values() if item.subject_name.key == item.issuer_name.key))
    agreed, refused = 0, Counter[str]()
    for leaf in leaves.values():
        at = (leaf.not_before + (leaf.not_after - leaf.not_before) / 2).replace(microsecond=0)
        result = validate_path(leaf, pool.values(), store, at, purpose="any", revocation="if-present")
        national = any(item.suite_name.startswith(("sm2", "gost")) for item in result.chain)
        if not result.passed or len(result.chain) < 2 or national:
            continue
        reason = refusal(result.chain[::-1], at)
        if reason is None:
            agreed += 1
        else:
            refused[next((words for words in OTHER_DEMANDS if words in reason), reason)] += 1
    print(f"{agreed} chains of real authorities accepted by both; refused by the other alone: {dict(refused)}")
    assert agreed > 20
    assert refused.keys() <= OTHER_DEMANDS.keys()
