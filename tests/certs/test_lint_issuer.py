"""What an authority refuses to sign because no chain through it, or through those above, would hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from certs import der, extensions, lint, lint_issuer, oids, profiles, relations
from certs.alt_names import AltNames
from certs.ca import Authority
from certs.certificate import Certificate, Extension, Subject
from certs.constraints import Constraints, Subtree
from certs.errors import IssuanceError
from certs.ledger import MemoryLedger
from certs.names import build_name
from certs.path import validate_path
from certs.trust import TrustStore
from tests.certs.forge import forge
from tests.conftest import CLOCK, NOW, SIGNING, circle_of, keys_of

Change = dict[str, Any]
PERSON = Subject("Anna Schmidt", country="DE", email="anna@example.com")


def limits(**what: Any) -> Change:
    return {"more": list(Constraints(**what).extensions())}


def policies(*names: str) -> Change:
    return {"more": [extensions.certificate_policies(names)]}


def authority(suite: str, root_change: Change | None = None, issuing_change: Change | None = None) -> Authority:
    """Return an authority of two certificates, each with something changed."""
    root_key, key = keys_of(suite)[:2]
    usual = {"ca": True, "not_after": NOW + timedelta(days=3000)}
    root = forge("Root", root_key, None, root_key, **(usual | (root_change or {})))
    issuing = forge("Issuing", key, root, root_key, **(usual | (issuing_change or {})))
    return Authority(key, issuing, ledger=MemoryLedger(), clock=CLOCK, above=(root,))


def issue(it: Authority, profile: str = "person", **change: Any) -> Certificate:
    spki = keys_of("ecdsa-p256")[3].public_key.spki
    rules = replace(profiles.load(profile), **change.pop("rules", {}))
    subject = change.pop("subject", PERSON if rules.alt_names else replace(PERSON, organisation="Firma", email=None))
    return it.issue(it.prepare(rules, subject, spki, **change))


REFUSED: dict[str, tuple[str, Change, Change, Change]] = {
    # clause, change of the root, of the issuing authority, of what is asked for
    "a_name_outside_the_issuer_s": (
        "4.2.1.10",
        {},
        limits(permitted=(Subtree("email", "other.example"),)),
        {},
    ),
    "a_name_outside_the_root_s": ("4.2.1.10", limits(permitted=(Subtree("email", "other.example"),)), {}, {}),
    "a_name_that_the_root_excludes": ("4.2.1.10", limits(excluded=(Subtree("email", "example.com"),)), {}, {}),
    "a_subject_outside_the_issuer_s": (
        "4.2.1.10",
        {},
        limits(permitted=(Subtree.directory(Subject("x", country="RU").name()),)),
        {},
    ),
    "constraints_that_cannot_be_read": (
        "4.2.1.10",
        {"more": [Extension(oids.NAME_CONSTRAINTS, True, b"\x30\x00")]},
        {},
        {},
    ),
    "valid_before_the_issuer": (
        "6.1.3 (a)(2)",
        {},
        {"not_before": NOW - timedelta(hours=1)},
        {"not_before": NOW - timedelta(hours=2)},
    ),
    "valid_after_the_root": (
        "6.1.3 (a)(2)",
        {"not_after": NOW + timedelta(days=100)},
        {},
        {"days": 200},
    ),
    "a_purpose_the_issuer_is_not_for": ("4.2.1.12", {}, {"purposes": [oids.SERVER_AUTH]}, {}),
    "a_purpose_the_root_is_not_for": ("4.2.1.12", {"purposes": [oids.OCSP_SIGNING]}, {}, {}),
    "a_policy_that_is_none_of_the_issuer_s": (
        "4.2.1.4",
        {},
        policies("1.2.3.4"),
        {"rules": {"policies": ("1.2.3.5",)}},
    ),
    "no_policy_where_the_issuer_requires_one": (
        "4.2.1.11",
        {},
        {"more": [*policies("1.2.3.4")["more"], *Constraints(require_explicit_policy=0).extensions()]},
        {},
    ),
    "an_authority_below_path_length_0_of_the_root": (
        "4.2.1.9",
        {"path_length": 1},
        {},
        {"profile_name": "issuing"},
    ),
    "an_authority_below_path_length_0": ("4.2.1.9", {}, {"path_length": 0}, {"profile_name": "issuing"}),
    "an_authority_that_promises_more_than_the_issuer": (
        "4.2.1.9",
        {},
        {"path_length": 1},
        {"profile_name": "intermediate", "constraints": Constraints(path_length=1)},
    ),
    "an_issuer_that_is_none": ("4.2.1.3", {}, {"usage": ["crl_sign"]}, {}),
}


def _ask(it: Authority, asked: Change) -> Certificate:
    asked = dict(asked)
    name = asked.pop("profile_name", "person")
    if name in ("issuing", "intermediate"):
        asked["subject"] = Subject("Below", organisation="Below", country="DE")
    return issue(it, name, **asked)


@pytest.mark.parametrize("suite", SIGNING)
@pytest.mark.parametrize("case", REFUSED)
def test_it_is_not_signed_and_the_clause_is_named(case: str, suite: str) -> None:
    clause, root, issuing, asked = REFUSED[case]
    with pytest.raises(IssuanceError) as refused:
        _ask(authority(suite, root, issuing), asked)
    assert f"RFC 5280 {clause}" in str(refused.value), str(refused.value)
    assert len(refused.value.facts["findings"]) >= 1


@pytest.mark.parametrize("suite", SIGNING)
def test_within_all_limits_it_is_signed_and_the_chain_holds(suite: str) -> None:
    subtrees = (Subtree("email", "example.com"), Subtree.directory(build_name([("2.5.4.6", "DE")])))
    root = {"more": list(Constraints(path_length=1, permitted=subtrees).extensions()), "path_length": 1}
    issuing = {
        "more": [*policies("1.2.3.4")["more"], *Constraints(require_explicit_policy=0).extensions()],
        "path_length": 0,
        "purposes": sorted({*profiles.load("person").extended_key_usage, oids.SERVER_AUTH}),
    }
    it = authority(suite, root, issuing)
    certificate = issue(it, rules={"policies": ("1.2.3.4",)}, names=AltNames())
    store = TrustStore(anchors=it.above)
    result = validate_path(certificate, [it.certificate], store, NOW, revocation="if-present")
    assert result.passed, result.detail
    assert result.policies == {"1.2.3.4"}


def test_a_policy_that_is_mapped_is_one_of_the_issuer_s() -> None:
    change = {
        "more": [
            *policies("1.2.3.4")["more"],
            *Constraints(policies=("1.2.3.4",), mappings=(("1.2.3.4", "1.2.3.5"),)).extensions(),
        ]
    }
    assert issue(authority("sm2", {}, change), rules={"policies": ("1.2.3.5",)})


def test_the_links_of_two_generations_are_exempt(signing_suite: str) -> None:
    """RFC 4210 4.4: the old key of a root, from its beginning on, is certified by the next one."""
    circle = circle_of(signing_suite)
    key = keys_of("ecdsa-p256")[4]
    links = relations.next_root(circle.ca.root_authority, key, clock=CLOCK, ledger=MemoryLedger())
    assert links.old_with_new.not_before <= links.root.not_before


def test_the_algorithm_inside_is_the_issuer_s(signing_suite: str) -> None:
    circle = circle_of(signing_suite)
    plan = circle.ca.issuing.prepare(profiles.load("person"), PERSON, keys_of("ecdsa-p256")[3].public_key.spki)
    other = circle_of("ecdsa-p384").issuing.signature_algorithm
    tbs = der.tlv(
        der.SEQUENCE,
        der.Reader(plan.tbs).value(der.SEQUENCE).replace(circle.issuing.signature_algorithm, other),
    )
    with pytest.raises(IssuanceError, match=r"RFC 5280 4\.1\.2\.3"):
        lint.check(tbs, profiles.load("person"), circle.issuing, above=(circle.root,))


def test_who_certified_an_authority_is_found_by_name_and_key() -> None:
    it = authority("ecdsa-p256")
    stranger = forge("Root", keys_of("sm2")[0], None, keys_of("sm2")[0], ca=True)
    assert lint_issuer.issuers_of(it.certificate, [stranger, it.certificate, *it.above]) == it.above
    assert lint_issuer.issuers_of(it.certificate, [stranger]) == ()
    assert lint_issuer.issuers_of(it.above[0], [stranger, *it.above]) == ()
    one, two = keys_of("ecdsa-p256")[:2]  # certified by each other: it ends
    first = forge("Two", two, forge("One", one, None, one, ca=True), one, ca=True)
    second = forge("One", one, first, two, ca=True)
    assert lint_issuer.issuers_of(first, [first, second]) == (second, first)
