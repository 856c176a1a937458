"""The classes of cases of C2SP x509-limbo, made by ourselves in keys of four families, so that they run everywhere.

A rule is a chain with one thing changed, and the step that must stop it, if any. The names are those of the classes in
the suite (`rfc5280::` is left out), so that both can be compared; certificates and octets are our own. Where there are
several ways to an anchor: `test_chain_graphs.py`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from certs import ber, der, extensions, oids
from certs.certificate import Certificate, Extension
from certs.crl import CRL
from certs.names import build_name
from certs.path import Limits, validate_path
from certs.suites.base import Use
from certs.trust import TrustStore
from tests.certs.forge import CA_USAGE, forge, standard_extensions
from tests.conftest import NOW, keys_of

FAMILIES = ("rsa", "ecdsa-p256", "sm2", "gost2012-256")
SECOND = timedelta(seconds=1)
Change = Mapping[str, Any]
"""Options of `forge`; beside them extensions to `drop`, whether one is `critical`, and alternative `names`."""


@dataclass(frozen=True)
class Rule:
    """One chain, and what becomes of it."""

    stops: str | None
    """The step of `validate_path` that refuses it; None where it holds."""
    leaf: Change | None = None
    middles: Sequence[Change] = ({},)
    """Authorities from the anchor down; none: the anchor issues."""
    anchor: Change | None = None
    after: timedelta = timedelta()
    """How long after the usual moment the chain is judged."""
    limits: Limits | None = None


def make(name: str, key: Any, issuer: Certificate | None, issuer_key: Any, change: Change, *, ca: bool) -> Certificate:
    """Return a certificate with one thing changed."""
    options = dict(change)
    drop, critical, names = (options.pop(item, default) for item, default in
                             (("drop", ()), ("critical", {}), ("names", ())))  # fmt: skip
    standard = {item: options.pop(item) for item in ("path_length", "usage", "purposes", "ca") if item in options}
    ca = standard.pop("ca", ca)
    fields = [
        Extension(item.oid, critical.get(item.oid, item.critical), item.value)
        for item in standard_extensions(key, issuer, ca=ca, **standard)
        if item.oid not in drop
    ]
    if issuer is not None and issuer.ski is None:
        fields.append(extensions.authority_key_identifier(extensions.key_id(issuer.spki)))
    fields += options.pop("more", ())
    if names:
        fields.append(
            Extension(oids.SUBJECT_ALT_NAME, critical.get(oids.SUBJECT_ALT_NAME, False), der.sequence(*names))
        )
    return forge(options.pop("name", name), options.pop("key", key), issuer, issuer_key, fields=fields, **options)


def build(rule: Rule, keys: Sequence[Any]) -> list[Certificate]:
    """Return the chain, anchor first."""
    chain = [make("Root", keys[0], None, keys[0], rule.anchor or {}, ca=True)]
    for number, change in enumerate(rule.middles):
        key, above = keys[1 + number % 3], keys[0] if number == 0 else keys[1 + (number - 1) % 3]
        chain.append(make(f"Authority {number}", key, chain[-1], above, {"serial": 100 + number} | change, ca=True))
    signer = keys[1 + (len(rule.middles) - 1) % 3] if rule.middles else keys[0]
    chain.append(make("Leaf", keys[4], chain[-1], signer, {"serial": 999} | (rule.leaf or {}), ca=False))
    return chain


# Names ----------------------------------------------------------------------------------------------------------------
def dns(host: str) -> bytes:
    return der.tlv(0x82, host.encode())


def email(address: str) -> bytes:
    return der.tlv(0x81, address.encode())


def ip(octets: str) -> bytes:
    return der.tlv(0x87, bytes.fromhex(octets))


def directory(common_name: str) -> bytes:
    return der.tlv(0xA4, build_name([("2.5.4.6", "DE"), ("2.5.4.3", common_name)]))


def other_name() -> bytes:
    return der.tlv(0xA0, der.oid("1.2.3.4") + der.tlv(0xA0, der.tlv(0x0C, b"x")))


def constrained(
    *, permit: Sequence[bytes] = (), forbid: Sequence[bytes] = (), critical: bool = True
) -> dict[str, list[Extension]]:
    parts = b"".join(
        der.tlv(tag, b"".join(map(der.sequence, bases))) for tag, bases in ((0xA0, permit), (0xA1, forbid)) if bases
    )
    return {"more": [Extension(oids.NAME_CONSTRAINTS, critical, der.sequence(parts))]}


NET4, IN4, OUT4 = ip("c0000200ffffff00"), ip("c0000201"), ip("c0000301")
NET6, IN6 = ip("20010db8" + "00" * 12 + "ffffffff" + "00" * 12), ip("20010db8" + "00" * 11 + "01")
HOST, BELOW, OTHER = dns("example.com"), dns("www.example.com"), dns("other.example")
NOISE = Extension("1.2.3.4.5", True, b"\x05\x00")
AKI, SKI, BC, KU = (
    oids.AUTHORITY_KEY_IDENTIFIER,
    oids.SUBJECT_KEY_IDENTIFIER,
    oids.BASIC_CONSTRAINTS,
    oids.KEY_USAGE,
)


def nc(stops: str | None, change: Change, *names: bytes) -> Rule:
    """Constraints in the anchor, names in the leaf below it."""
    return Rule(stops, {"names": names}, (), change)


def under(stops: str | None, change: Change, *names: bytes) -> Rule:
    """Constraints in an authority."""
    return Rule(stops, {"names": names}, (change,))


def one_level(name: str) -> Change:
    return {"name": name}


def access(value: bytes, *, critical: bool) -> Change:
    return {"more": [Extension(oids.AUTHORITY_INFO_ACCESS, critical, value)]}


ISSUERS = extensions.authority_information(ocsp=None, issuer="http://pki.example/ca.cer").value
EXPLICIT = der.sequence(der.tlv(0x80, b"\x05"))

RULES: dict[str, Rule] = {
    "plain": Rule(None),
    # pathlen
    "pathlen::ee-with-intermediate-pathlen-0": Rule(None, middles=({"path_length": 0},)),
    "pathlen::ee-with-intermediate-pathlen-2": Rule(None, middles=({"path_length": 2},)),
    "pathlen::validation-ignores-pathlen-in-leaf": Rule(
        None,
        {"ca": True, "path_length": 0, "usage": (*CA_USAGE, "digital_signature")},
        ({"path_length": 0},),
    ),
    "pathlen::intermediate-violates-pathlen-0": Rule("authority", middles=({"path_length": 0}, {"path_length": 0})),
    "pathlen::intermediate-pathlen-may-increase": Rule(None, middles=({"path_length": 1}, {"path_length": 2})),
    "pathlen::intermediate-pathlen-too-long": Rule(
        "authority", middles=({"path_length": 1}, {"path_length": 0}, {"path_length": 0})
    ),
    "pathlen::self-issued-certs-pathlen": Rule(
        None,
        middles=(
            one_level("A") | {"path_length": 1},
            one_level("A") | {"path_length": 1},
            one_level("B") | {"path_length": 0},
        ),
    ),
    "pathlen::root": Rule("authority", anchor={"path_length": 0}),
    "pathlen::max-chain-depth": Rule(None, middles=({}, {}), limits=Limits(depth=4)),
    "pathlen::max-chain-depth-exhausted": Rule("chain", middles=({}, {}), limits=Limits(depth=3)),
    # key identifiers
    "aki::critical-aki": Rule("form", {"critical": {AKI: True}}),
    "aki::leaf-missing-aki": Rule("form", {"drop": {AKI}}),
    "aki::intermediate-missing-aki": Rule("form", middles=({"drop": {AKI}},)),
    "aki::self-signed-root-missing-aki": Rule(None, anchor={"drop": {AKI}}),
    "aki::of-another-issuer": Rule(
        "chain", {"drop": {AKI}, "more": [extensions.authority_key_identifier(b"another key's id 20")]}
    ),
    "ski::critical-ski": Rule("form", middles=({"critical": {SKI: True}},)),
    "ski::root-missing-ski": Rule("form", anchor={"drop": {SKI}}),
    "ski::intermediate-missing-ski": Rule("form", middles=({"drop": {SKI}},)),
    # purposes
    "eku::ee-wrong-eku": Rule("purpose", {"purposes": [oids.SERVER_AUTH]}),
    "eku::ee-without-eku": Rule(None),
    "eku::ee-eku-empty": Rule("purpose", {"more": [Extension(oids.EXTENDED_KEY_USAGE, False, der.sequence())]}),
    "eku::ica-excludes-the-purpose": Rule("purpose", middles=({"purposes": [oids.SERVER_AUTH]},)),
    "eku::ica-includes-the-purpose": Rule(None, middles=({"purposes": [oids.SERVER_AUTH, oids.EMAIL_PROTECTION]},)),
    # name constraints of the anchor
    "nc::permitted-dns-mismatch": nc("names", constrained(permit=[HOST]), OTHER),
    "nc::permitted-dns-match": nc(None, constrained(permit=[HOST]), HOST),
    "nc::permitted-dns-match-more": nc(None, constrained(permit=[HOST]), dns("a.b.example.com")),
    "nc::permitted-dns-match-noncritical": nc("form", constrained(permit=[HOST], critical=False), HOST),
    "nc::excluded-dns-match": under("names", constrained(forbid=[HOST]), BELOW),
    "nc::excluded-dns-match-second": nc("names", constrained(forbid=[BELOW]), OTHER, BELOW),
    "nc::permitted-ip-mismatch": nc("names", constrained(permit=[NET4]), OUT4),
    "nc::permitted-ipv4-match": nc(None, constrained(permit=[NET4]), IN4),
    "nc::permitted-ipv6-match": nc(None, constrained(permit=[NET6]), IN6),
    "nc::excluded-ipv4-match": nc("names", constrained(forbid=[NET4]), IN4),
    "nc::excluded-ipv6-match": nc("names", constrained(forbid=[NET6]), IN6),
    "nc::permitted-dn-mismatch": nc("names", constrained(permit=[directory("foo")])),
    "nc::permitted-dn-match": nc(None, constrained(permit=[directory("Leaf")])),
    "nc::excluded-dn-match": nc("names", constrained(forbid=[directory("Leaf")])),
    "nc::permitted-dn-match-subject-san-mismatch": nc(
        "names", constrained(permit=[directory("Leaf")]), directory("another")
    ),
    "nc::excluded-dn-match-sub-mismatch": nc("names", constrained(forbid=[directory("foo")]), directory("foo")),
    "nc::permitted-self-issued": Rule(
        None, {"names": [HOST]}, ({"name": "Root", "names": [OTHER]},), constrained(permit=[HOST])
    ),
    "nc::excluded-self-issued-leaf": Rule(
        "names", {"name": "Root", "names": [OTHER]}, ({"name": "Root"},), constrained(permit=[HOST])
    ),
    "nc::excluded-match-permitted-and-excluded": nc("names", constrained(permit=[HOST], forbid=[HOST]), HOST),
    "nc::permitted-different-constraint-type": nc(None, constrained(permit=[NET4]), OTHER),
    "nc::excluded-different-constraint-type": nc(None, constrained(forbid=[NET4]), OTHER),
    "nc::invalid-dnsname-wildcard": nc("names", constrained(permit=[dns("*.example.com")]), BELOW),
    "nc::invalid-dnsname-leading-period": nc("names", constrained(permit=[dns(".example.com")]), BELOW),
    "nc::invalid-ipv4-address": nc("names", constrained(permit=[ip("c0000201")]), IN4),
    "nc::invalid-ipv6-address": nc("names", constrained(permit=[IN6]), IN6),
    "nc::invalid-email-address": nc("names", constrained(permit=[email("a@b@example.com")]), email("a@example.com")),
    "nc::not-allowed-in-ee-noncritical": Rule("form", constrained(permit=[HOST], critical=False) | {"names": [HOST]}),
    "nc::not-allowed-in-ee-critical": Rule("form", constrained(permit=[HOST]) | {"names": [HOST]}),
    "nc::intermediate-with-san-rejected-by-intermediate-nc": Rule(
        "names", {"names": [HOST]}, (constrained(forbid=[OTHER]), {"names": [OTHER]})
    ),
    "nc::intermediate-with-san-rejected-by-root-nc": Rule(
        "names", {"names": [HOST]}, ({"names": [OTHER]}, {}), constrained(forbid=[OTHER])
    ),
    "nc::restrictive-permits-in-intermediates-narrows": Rule(
        "names",
        {"names": [OTHER]},
        (constrained(permit=[HOST, OTHER]), constrained(permit=[HOST])),
    ),
    "nc::restrictive-permits-in-intermediates-widens": Rule(
        "names", {"names": [OTHER]}, (constrained(permit=[HOST]), constrained(permit=[HOST, OTHER]))
    ),
    "nc::nc-permits-invalid-dns-san": under("form", constrained(permit=[HOST]), dns(".example.com")),
    "nc::nc-permits-invalid-ip-san": under("form", constrained(permit=[NET4]), NET4),
    "nc::nc-permits-invalid-email-san": under(
        "names", constrained(permit=[email("example.com")]), email("a@b@example.com")
    ),
    "nc::nc-permits-email-exact": under(None, constrained(permit=[email("a@example.com")]), email("a@example.com")),
    "nc::nc-permits-email-domain": under(None, constrained(permit=[email("example.com")]), email("a@example.com")),
    "nc::nc-permits-email-literal-asterisk-exact-match": under(
        None, constrained(permit=[email("*@example.com")]), email("*@example.com")
    ),
    "nc::nc-permits-email-literal-asterisk-rejects-user": under(
        "names", constrained(permit=[email("*@example.com")]), email("a@example.com")
    ),
    "nc::nc-permits-email-literal-asterisk-rejects-subdomain": under(
        "names", constrained(permit=[email("*@example.com")]), email("*@sub.example.com")
    ),
    "nc::nc-permits-email-literal-mid-asterisk": under(
        None, constrained(permit=[email("us*@example.com")]), email("us*@example.com")
    ),
    "nc::nc-forbids-othername": under("names", constrained(forbid=[other_name()]), other_name()),
    "nc::nc-forbids-othername-noop": under(None, constrained(forbid=[other_name()]), HOST),
    "nc::nc-forbids-dnsname-wildcard-san": under("names", constrained(forbid=[BELOW]), dns("*.example.com")),
    "cve::cve-2025-61727-nc-permits-variant": under("names", constrained(permit=[BELOW]), dns("*.example.com")),
    "pathological::nc-dos": Rule(
        "names",
        {"names": [dns(f"{n}.other.example") for n in range(1024)]},
        (constrained(permit=[dns(f"{n}.example.com") for n in range(1024)]),),
    ),
    # policies
    "pc::ica-noncritical-pc": Rule("form", middles=({"more": [Extension(oids.POLICY_CONSTRAINTS, False, EXPLICIT)]},)),
    "pc::ica-critical-pc": Rule(None, middles=({"more": [Extension(oids.POLICY_CONSTRAINTS, True, EXPLICIT)]},)),
    "pc::ica-noncritical-inhibit-any": Rule(
        "form", middles=({"more": [Extension(oids.INHIBIT_ANY_POLICY, False, der.integer(0))]},)
    ),
    # alternative names
    "san::malformed": Rule("form", {"more": [Extension(oids.SUBJECT_ALT_NAME, False, b"example.com")]}),
    "san::underscore-dns": Rule("form", {"names": [dns("a_b.example.com")]}),
    "san::ip-in-dns": Rule("form", {"names": [dns("192.0.2.1")]}),
    # serial numbers
    "serial::too-long": Rule("form", {"serial": 1 << 160}),
    "serial::zero": Rule("form", {"serial": 0}),
    "serial::negative": Rule("form", {"serial": -5}),
    # validity
    "validity::expired-root": Rule("validity", anchor={"not_after": NOW - SECOND}),
    "validity::expired-intermediate": Rule("validity", middles=({"not_after": NOW - SECOND},)),
    "validity::notbefore-exact": Rule(None, {"not_before": NOW}),
    "validity::notbefore-fractional": Rule("validity", {"not_before": NOW + SECOND}, after=timedelta(milliseconds=999)),
    "validity::notafter-exact": Rule(None, {"not_after": NOW}),
    "validity::notafter-fractional": Rule(None, {"not_after": NOW}, after=timedelta(milliseconds=5)),
    "validity::expired-1-second": Rule("validity", {"not_after": NOW}, after=SECOND),
    "validity::not-yet-valid-1-second": Rule("validity", {"not_before": NOW + SECOND}),
    # extensions
    "unknown-critical-extension-ee": Rule("extensions", {"more": [NOISE]}),
    "unknown-critical-extension-intermediate": Rule("extensions", middles=({"more": [NOISE]},)),
    "unknown-critical-extension-root": Rule("extensions", anchor={"more": [NOISE]}),
    "duplicate-extensions": Rule("certificate-form", {"more": [extensions.key_usage(["digital_signature"])]}),
    "intermediate-ca-without-ca-bit": Rule("authority", middles=({"ca": False, "usage": CA_USAGE},)),
    "intermediate-ca-missing-basic-constraints": Rule("authority", middles=({"drop": {BC}},)),
    "root-missing-basic-constraints": Rule("form", anchor={"drop": {BC}}),
    "root-non-critical-basic-constraints": Rule("form", anchor={"critical": {BC: False}}),
    "root-inconsistent-ca-extensions": Rule("form", anchor={"usage": ["crl_sign"]}),
    "ica-ku-keycertsign": Rule("authority", middles=({"usage": ["crl_sign"]},)),
    "leaf-ku-keycertsign": Rule("form", {"usage": ["digital_signature", "key_cert_sign"]}),
    "ee-aia": Rule(None, access(ISSUERS, critical=False)),
    "ee-critical-aia-invalid": Rule("extensions", access(ISSUERS, critical=True)),
    "webpki::malformed-aia": Rule("form", access(b"\x30\x03\x02\x01\x05", critical=False)),
    "no-keyusage": Rule(None, {"drop": {KU}}),
    "no-basicconstraints": Rule(None, {"drop": {BC}}),
    "ca-as-leaf": Rule(None, {"ca": True, "usage": (*CA_USAGE, "digital_signature")}),
}


REMARKS = frozenset(
    {
        "aki::leaf-missing-aki",
        "aki::intermediate-missing-aki",
        "ski::root-missing-ski",
        "nc::permitted-dns-match-noncritical",
        "pc::ica-noncritical-pc",
        "serial::too-long",
        "serial::negative",
        "root-missing-basic-constraints",
        "root-non-critical-basic-constraints",
        "root-inconsistent-ca-extensions",
        "leaf-ku-keycertsign",
    }
)
"""What refuses a chain with `strict` only: certificates that are in use need it (docs/conformance.md counts them)."""


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "as usual"])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", RULES)
def test_a_chain(name: str, family: str, strict: bool) -> None:
    rule = RULES[name]
    anchor, *pool, leaf = build(rule, keys_of(family))
    began = time.process_time()
    result = validate_path(
        leaf,
        pool,
        TrustStore(anchors=(anchor,)),
        NOW + rule.after,
        revocation="if-present",
        strict=strict,
        limits=rule.limits,
    )
    assert time.process_time() - began < 20
    if name in REMARKS and not strict:
        assert result.passed, result.detail
        assert len(result.notes) == 1
        return
    assert result.passed is (rule.stops is None), result.detail
    assert rule.stops in (None, result.checks[-1].id), result.detail
    assert result.notes == ()


# What no change of one certificate makes ------------------------------------------------------------------------------
@pytest.fixture(params=FAMILIES)
def keys(request: pytest.FixtureRequest) -> Sequence[Any]:
    return keys_of(request.param)


def holds(leaf: Certificate, *pool: Certificate, anchors: Sequence[Certificate], **options: Any) -> bool:
    options = {"revocation": "if-present", "strict": True} | options
    return validate_path(leaf, pool, TrustStore(anchors=tuple(anchors)), NOW, **options).passed


def test_chain_untrusted_root(keys: Sequence[Any]) -> None:
    root, authority, leaf = build(RULES["plain"], keys)
    stranger = make("Root", keys[3], None, keys[3], {}, ca=True)
    assert holds(leaf, authority, anchors=[root, stranger])
    assert not holds(leaf, authority, root, anchors=[stranger])
    assert not holds(leaf, authority, root, anchors=[])


def test_root_and_intermediate_swapped(keys: Sequence[Any]) -> None:
    root, authority, leaf = build(RULES["plain"], keys)
    assert holds(leaf, root, anchors=[authority])


def test_unknown_critical_extensions_of_certificates_that_are_not_in_the_chain(keys: Sequence[Any]) -> None:
    root, authority, leaf = build(RULES["plain"], keys)
    odd_root = make("Another", keys[3], None, keys[3], {"more": [NOISE]}, ca=True)
    odd = make("Odd", keys[2], root, keys[0], {"more": [NOISE]}, ca=True)
    assert holds(leaf, odd, authority, anchors=[odd_root, root])


@pytest.mark.parametrize("where", ["ee-empty-issuer", "ca-empty-subject", "san::noncritical-with-empty-subject"])
def test_names_that_are_empty(where: str, keys: Sequence[Any]) -> None:
    nobody: Any = SimpleNamespace(name=lambda: der.sequence())
    if where == "san::noncritical-with-empty-subject":
        root = make("Root", keys[0], None, keys[0], {}, ca=True)
        for critical, expected in ((True, True), (False, False)):
            change = {"names": [HOST], "critical": {oids.SUBJECT_ALT_NAME: critical}}
            leaf = make(nobody, keys[4], root, keys[0], change, ca=False)
            assert holds(leaf, anchors=[root]) is holds(leaf, anchors=[root], strict=False) is expected
        return
    root = make(nobody, keys[0], None, keys[0], {}, ca=True)
    leaf = make("Leaf", keys[4], root, keys[0], {}, ca=False)
    assert not holds(leaf, anchors=[root])


def test_mismatching_signature_algorithm(keys: Sequence[Any]) -> None:
    other = keys_of("ecdsa-p384")[0].suite.signature_algorithm(Use.X509).der()
    root = make("Root", keys[0], None, keys[0], {}, ca=True)
    for change in ({"inner_algorithm": other}, {"outer_algorithm": other}):
        leaf = make("Leaf", keys[4], root, keys[0], change, ca=False)
        assert not holds(leaf, anchors=[root])


def test_invalid_issuer_key(keys: Sequence[Any]) -> None:
    """The key of the issuer is none: its octets are cut, or all the same."""
    whole = keys[1].public_key.spki
    algorithm, key = der.split_spki(whole)
    for broken in (key[: len(key) // 2], b"\x04" * len(key), b"", b"\x30\x80"):
        spki = der.subject_public_key_info(algorithm, broken)
        stand_in = SimpleNamespace(public_key=SimpleNamespace(spki=spki))
        root = make("Root", keys[0], None, keys[0], {}, ca=True)
        authority = make("Authority", stand_in, root, keys[0], {}, ca=True)
        leaf = make("Leaf", keys[4], authority, keys[1], {}, ca=False)
        assert not holds(leaf, authority, anchors=[root])
        assert not holds(leaf, anchors=[authority])


# Certificates made to be expensive ------------------------------------------------------------------------------------
@pytest.mark.parametrize("subjects", ["distinct", "same"])
@pytest.mark.parametrize("keyring", ["distinct", "same"])
def test_pathological_chain(subjects: str, keyring: str, keys: Sequence[Any]) -> None:
    chain: list[Certificate] = []
    for number in range(100 if keys[0].suite.name == "ecdsa-p256" else 20):
        own, above = (keys[number % 5], keys[(number - 1) % 5]) if keyring == "distinct" else (keys[0], keys[0])
        name = f"Authority {number}" if subjects == "distinct" else "Authority"
        chain.append(make(name, own, chain[-1] if chain else None, above, {"serial": number + 1}, ca=True))
    last = keys[(len(chain) - 1) % 5] if keyring == "distinct" else keys[0]
    leaf = make("Leaf", keys[4], chain[-1], last, {"serial": 999}, ca=False)
    root = make("Root", keys[3], None, keys[3], {}, ca=True)
    began = time.process_time()
    assert not holds(leaf, *chain, anchors=[root])
    assert time.process_time() - began < 20


def test_authorities_in_a_circle(keys: Sequence[Any]) -> None:
    """pathological::intermediate-cycle-*: they certify each other, and no root knows them."""
    root, one, two = keys[0], keys[1], keys[2]
    anchor = make("Root", root, None, root, {}, ca=True)
    for names in (("One", "Two"), ("One", "One")):
        first = make(names[0], one, None, one, {}, ca=True)
        second = make(names[1], two, first, one, {"serial": 2}, ca=True)
        back = make(names[0], one, second, two, {"serial": 3}, ca=True)
        leaf = make("Leaf", keys[4], back, one, {"serial": 4}, ca=False)
        assert not holds(leaf, back, second, anchors=[anchor])


# Lists ----------------------------------------------------------------------------------------------------------------
NUMBER = Extension(oids.CRL_NUMBER, False, der.integer(7))


def revocation_list(issuer: Certificate, key: Any, *serials: int, more: Sequence[Extension] = (NUMBER,)) -> CRL:
    """Return a list with extensions as given, well formed or not."""
    algorithm = key.suite.signature_algorithm(Use.X509).der()
    times = ber.encode_time(NOW - SECOND), ber.encode_time(NOW + timedelta(days=1))
    entries = [der.sequence(der.integer(serial), ber.encode_time(NOW - SECOND)) for serial in serials]
    fields = [*more, extensions.authority_key_identifier(issuer.ski or b"")]
    tbs = der.sequence(
        der.integer(1),
        algorithm,
        issuer.subject_name.der,
        *times,
        der.sequence(*entries) if entries else b"",
        der.tlv(0xA0, der.sequence(*map(extensions.encode, fields))),
    )
    return CRL(extensions.signed(tbs, algorithm, key.sign(tbs)))


LISTS: dict[str, tuple[bool, Change, tuple[int, ...], Sequence[Extension]]] = {
    # whether the chain holds, the anchor, what is revoked, the extensions of the list
    "crl::certificate-not-on-crl": (True, {}, (5,), (NUMBER,)),
    "crl::revoked-certificate-with-crl": (False, {}, (5, 999), (NUMBER,)),
    "crl::crlnumber-missing": (False, {}, (5,), ()),
    "crl::crlnumber-critical": (False, {}, (5,), (Extension(oids.CRL_NUMBER, True, der.integer(7)),)),
    "crl::unknown-critical-extension": (False, {}, (5,), (NUMBER, NOISE)),
    "crl::issuer-missing-crlsign": (False, {"usage": ["key_cert_sign"]}, (5,), (NUMBER,)),
    "crl::issuer-no-keyusage-extension": (True, {"drop": {KU}}, (5,), (NUMBER,)),
    "crl::issuer-valid-crlsign-and-keycertsign": (True, {"usage": CA_USAGE}, (5,), (NUMBER,)),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list(name: str, keys: Sequence[Any]) -> None:
    expected, change, serials, more = LISTS[name]
    root, leaf = build(Rule(None, middles=(), anchor=change), keys)
    crl = revocation_list(root, keys[0], *serials, more=more)
    assert holds(leaf, anchors=[root], crls=[crl], revocation="require") is expected
    usual = expected or name == "crl::crlnumber-missing"  # as lists of real authorities have it
    assert holds(leaf, anchors=[root], crls=[crl], revocation="require", strict=False) is usual


def test_certificate_serial_on_crl_different_issuer(keys: Sequence[Any]) -> None:
    root, leaf = build(Rule(None, middles=()), keys)
    stranger = make("Another", keys[3], None, keys[3], {}, ca=True)
    theirs, ours = revocation_list(stranger, keys[3], 999), revocation_list(root, keys[0], 5)
    assert holds(leaf, anchors=[root, stranger], crls=[theirs, ours], revocation="require")
    assert not holds(leaf, anchors=[root, stranger], crls=[theirs], revocation="require")
