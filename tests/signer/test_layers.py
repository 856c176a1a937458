"""Agreement and policy: read strictly, judged condition by condition, and never a change of the verdict."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from certs import suites
from certs.signed_data import build_signed_data
from signer.errors import BasisError
from signer.layers import judge, load_agreement, load_policy
from signer.layers.conditions import NAMES
from signer.layers.standing import concerns
from signer.report import LayerReport, TimeReport, TimestampReport, ValidationObject, Verdict
from signer.report_schema import agreement_schema, policy_schema
from tests.conftest import SIGNING, circle_of
from tests.signer.conftest import check
from tests.signer.test_report import NOON, SIGNER, report, signature
from tests.signer.test_verify import document_stamp, signed, verify

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLES = DOCS / "examples"
ANCHOR, ISSUER, TSA, LEAF = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
OBJECTS = (
    ValidationObject("certificate", "signer", "leaf", LEAF, b""),
    ValidationObject("certificate", "issuer", "issuing", ISSUER, b""),
    ValidationObject("certificate", "anchor", "root", ANCHOR, b""),
)
ONE = signature(
    digest_algorithm="1.2.156.10197.1.401",
    signer=replace(SIGNER, fingerprint=LEAF, key_suite="sm2", key_parameter="sm2p256v1", policies=("1.2.3",)),
    objects=OBJECTS,
    timestamps=(TimestampReport(Verdict.TOTAL_PASSED, None, NOON, "TSA", "sm2", TSA),),
)


def agreement(*, party: dict[str, Any] | None = None, **more: Any) -> bytes:
    members = {"name": "山河贸易有限公司", **(party or {})}
    return json.dumps(
        {"schema": "sealroad.agreement/1", "title": "FA", "parties": [members], **more}, ensure_ascii=False
    ).encode()


def policy(conditions: dict[str, Any] | None = None, **more: Any) -> bytes:
    body = {
        "schema": "sealroad.policy/1",
        "jurisdiction": "XA",
        "name": "P",
        "version": "1",
        "basis": "Nobody says so.",
    }
    return json.dumps({**body, "conditions": conditions or {}, **more}).encode()


def agreed(one: Any, data: bytes) -> LayerReport:
    return judge(report(one), load_agreement(data)).signatures[0].agreed


# -- judging ------------------------------------------------------------------------------------------

CONDITIONS: list[tuple[str, Any, str]] = [
    ("suites", ["sm2"], "passed"),
    ("suites", ["rsa", "ecdsa-p256"], "failed"),
    ("digests", ["sm3"], "passed"),
    ("digests", ["sha256"], "failed"),
    ("key_sizes", {"sm2": 256}, "passed"),
    ("key_sizes", {"sm2": 257}, "failed"),
    ("authorities", [ISSUER], "passed"),
    ("authorities", [":".join("AA" for _ in range(32))], "passed"),
    ("authorities", [LEAF], "failed"),
    ("anchors", [ANCHOR], "passed"),
    ("anchors", [ISSUER], "failed"),
    ("certificate_policies", ["9.9", "1.2.3"], "passed"),
    ("certificate_policies", ["1.2.4"], "failed"),
    ("level", "B-B", "passed"),
    ("level", "B-T", "passed"),
    ("level", "B-LT", "failed"),
    ("time", "timestamp", "passed"),
    ("time", "claimed", "passed"),
    ("time_authorities", [TSA], "passed"),
    ("time_authorities", [ISSUER], "failed"),
    ("trust_lists", ["*"], "failed"),
    ("receipts", True, "not-checked"),
    ("receipt_issuers", [ISSUER], "not-checked"),
]


@pytest.mark.parametrize(("name", "value", "expected"), CONDITIONS)
def test_each_condition(name: str, value: Any, expected: str) -> None:
    value = [item if item != "9.9" else "2.999" for item in value] if isinstance(value, list) else value
    asked = {name: value, "clauses": {name: "clause 7"}}
    for layer in (
        agreed(ONE, agreement(party=asked)),
        judge(report(ONE), None, [load_policy(policy(asked))]).signatures[0].recognised[0][1],
    ):
        assert layer.result == expected
        (found,) = [one for one in layer.checks if one.clause.startswith("clause 7 (")]
        assert found.result == expected
        assert found.clause.endswith(f".{name})")


def test_every_condition_is_tried_both_ways() -> None:
    assert {name for name, _, _ in CONDITIONS} == set(NAMES)
    for name in set(NAMES) - {"receipts", "receipt_issuers", "trust_lists", "time"}:
        assert {expected for other, _, expected in CONDITIONS if other == name} >= {"passed", "failed"}, name


@pytest.mark.parametrize(
    ("change", "asked", "expected"),
    [
        ({"suite": None}, {"suites": ["sm2"]}, "not-checked"),
        ({"objects": ()}, {"authorities": [ISSUER]}, "not-checked"),
        ({"objects": ()}, {"anchors": [ANCHOR]}, "not-checked"),
        ({"objects": ()}, {"trust_lists": ["*"]}, "not-checked"),
        ({"level": None}, {"level": "B-B"}, "failed"),
        ({"signed_at": TimeReport(NOON, "claimed")}, {"level": "B-T"}, "failed"),
        ({"signed_at": None}, {"level": "B-T"}, "failed"),
        ({"signed_at": TimeReport(NOON, "claimed")}, {"level": "B-B"}, "passed"),
        ({"signed_at": None}, {"time": "claimed"}, "failed"),
        ({"signed_at": TimeReport(NOON, "claimed")}, {"time": "timestamp"}, "failed"),
        ({"signed_at": TimeReport(NOON, "claimed")}, {"time": "claimed"}, "passed"),
        ({"timestamps": ()}, {"time_authorities": [TSA]}, "failed"),
        (
            {"timestamps": (TimestampReport(Verdict.INDETERMINATE, "TRY_LATER", NOON, "TSA", "sm2", TSA),)},
            {"time_authorities": [TSA]},
            "failed",
        ),
        (  # inside what was signed: it is older than the signature
            {"timestamps": (replace(ONE.timestamps[0], gen_time=NOON - timedelta(days=1)),)},
            {"time_authorities": [TSA]},
            "failed",
        ),
        ({"signed_at": TimeReport(NOON, "claimed")}, {"time_authorities": [TSA]}, "failed"),
        ({"signer": replace(SIGNER, key_suite="rsa", key_parameter="2048")}, {"key_sizes": {"rsa": 3072}}, "failed"),
        ({"signer": replace(SIGNER, key_suite="rsa", key_parameter="4096")}, {"key_sizes": {"rsa": 3072}}, "passed"),
        ({"signer": replace(SIGNER, key_suite="rsa", key_parameter=None)}, {"key_sizes": {"rsa": 3072}}, "not-checked"),
        ({"signer": replace(SIGNER, key_suite="ml-dsa-65")}, {"key_sizes": {"ml-dsa-65": 1}}, "not-checked"),
        ({"signer": replace(SIGNER, policies=())}, {"certificate_policies": ["1.2.3"]}, "failed"),
        # the cryptographic verdict comes first: an agreement mends nothing
        ({"verdict": Verdict.INDETERMINATE}, {"suites": ["sm2"]}, "not-checked"),
        ({"verdict": Verdict.TOTAL_FAILED}, {"suites": ["sm2"]}, "failed"),
        ({"verdict": Verdict.INDETERMINATE}, {"suites": ["rsa"]}, "failed"),
    ],
)
def test_what_is_missing_or_worse(change: dict[str, Any], asked: dict[str, Any], expected: str) -> None:
    assert agreed(replace(ONE, **change), agreement(party=asked)).result == expected


def test_the_trust_list_is_the_one_the_check_names() -> None:
    from signer.report import CheckResult

    listed = replace(ONE, checks=(CheckResult("trust", "", "passed", "trusted list of EE no. 71"),))
    assert agreed(listed, agreement(party={"trust_lists": ["trusted list of EE no. *"]})).result == "passed"
    assert agreed(listed, agreement(party={"trust_lists": ["trusted list of CN no. *"]})).result == "failed"


@pytest.mark.parametrize(
    ("party", "known"),
    [
        ({}, True),
        ({"name": "  山河贸易有限公司 "}, True),
        ({"name": "别的公司"}, False),
        ({"identifiers": [{"scheme": "CN-USCC", "value": "91350211M000100Y43"}]}, True),
        # the name alone is not enough where the agreement names more
        ({"identifiers": [{"scheme": "CN-USCC", "value": "0"}]}, False),
        # a wrong check digit makes no party
        ({"identifiers": [{"scheme": "RU-INN", "value": "7707083890"}]}, False),
        ({"certificates": [LEAF]}, True),
        ({"certificates": [ISSUER]}, False),
        ({"certificates": [ISSUER], "identifiers": [{"scheme": "CN-USCC", "value": "91350211M000100Y43"}]}, False),
    ],
)
def test_who_is_a_party(party: dict[str, Any], known: bool) -> None:
    layer = agreed(ONE, agreement(party=party))
    assert layer.result == ("passed" if known else "failed")
    assert [one.result for one in layer.checks if one.id == "party"] == ["passed" if known else "failed"]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (NOON, None, "passed"),
        (None, NOON, "passed"),
        (NOON + timedelta(seconds=1), None, "failed"),
        (None, NOON - timedelta(seconds=1), "failed"),
    ],
)
def test_in_force(start: datetime | None, end: datetime | None, expected: str) -> None:
    bounds = {k: v.isoformat() for k, v in (("valid_from", start), ("valid_to", end)) if v}
    assert agreed(ONE, agreement(**bounds)).result == expected
    judged = judge(report(ONE), None, [load_policy(policy(**bounds))])
    assert judged.signatures[0].recognised[0][1].result == expected
    assert agreed(replace(ONE, signed_at=None), agreement(**bounds)).result == "not-checked"


@pytest.mark.parametrize(("start", "expected"), [(NOON, "not-checked"), (NOON + timedelta(seconds=1), "failed")])
def test_a_signature_that_only_claims_to_be_of_the_time_of_an_agreement(start: datetime, expected: str) -> None:
    """Whoever signs too late sets the clock back; enough only where the file is content with the signer's word."""
    claiming = replace(ONE, signed_at=TimeReport(NOON, "claimed"))
    when = {"valid_from": start.isoformat()}
    assert agreed(claiming, agreement(**when)).result == expected
    assert (
        judge(report(claiming), None, [load_policy(policy(**when))]).signatures[0].recognised[0][1].result == expected
    )
    content = {"time": "claimed"}
    told = "passed" if expected == "not-checked" else "failed"
    assert agreed(claiming, agreement(party=content, **when)).result == told
    judged = judge(report(claiming), None, [load_policy(policy(content, **when))])
    assert judged.signatures[0].recognised[0][1].result == told


def test_nothing_of_the_verdict_changes_and_the_files_are_named() -> None:
    first = report(ONE, replace(ONE, kind="document-timestamp"))
    strict = agreement(party={"suites": ["rsa"]}, prevailing_language="ru")
    judged = judge(first, load_agreement(strict), [load_policy(policy()), load_policy(policy(jurisdiction="EU"))])
    assert judged.verdict is first.verdict
    for before, after in zip(first.signatures, judged.signatures, strict=True):
        assert replace(after, agreed=before.agreed, recognised=before.recognised) == before
    one, stamp = judged.signatures
    assert [jurisdiction for jurisdiction, _ in one.recognised] == ["XA", "EU"]
    assert "Nobody says so." in (one.recognised[0][1].basis or "")
    assert judged.bases[0].sha256 in (one.agreed.basis or "")
    assert (stamp.agreed.result, stamp.agreed.checks) == ("not-checked", ())
    assert not concerns(stamp)
    assert [basis.kind for basis in judged.bases] == ["agreement", "policy", "policy"]
    check(judged.to_json())


def test_without_files_the_report_stays_as_it_is() -> None:
    first = report(ONE)
    assert judge(first) is first


@pytest.mark.parametrize("suite", SIGNING)
def test_a_real_signature_of_every_kind(suite: str) -> None:
    circle = circle_of(suite)
    made = verify(signed(suite, timestamp=True), circle)
    asked = {
        "name": circle.organisation.certificate.organisation,
        "suites": [suite],
        "digests": [suites.get(suite).digest_name] if suite not in ("ed25519", "ml-dsa-65") else ["sha512", "sha256"],
        "authorities": [circle.issuing.fingerprint()],
        "anchors": [circle.root.fingerprint()],
        "time": "timestamp",
        "time_authorities": [circle.tsa.certificate.fingerprint()],
        "level": "B-T",
    }
    layer = judge(made, load_agreement(agreement(party=asked))).signatures[0].agreed
    assert layer.result == "passed", layer.checks
    assert len(layer.checks) == 4 + 7


# -- a signed agreement -------------------------------------------------------------------------------


def wrapped(suite: str = "ecdsa-p256", data: bytes | None = None, *, detached: bool = False) -> bytes:
    circle = circle_of(suite)
    holder = circle.organisation
    return build_signed_data(
        data or agreement(), holder.key, holder.certificate, chain=(circle.issuing,), detached=detached
    )


def load_signed(data: bytes, suite: str = "ecdsa-p256", *, trusting: bool = True) -> Any:
    circle = circle_of(suite)
    return load_agreement(
        data, verify=lambda cms, content: verify(cms, circle if trusting else None, content=content).signatures
    )


@pytest.mark.parametrize("suite", SIGNING)
def test_a_signed_agreement_is_verified_and_shown(suite: str) -> None:
    found = load_signed(wrapped(suite), suite)
    judged = judge(report(ONE), found)
    assert judged.signatures[0].agreed.result == "passed"
    assert judged.signatures[0].agreed.checks[0].id == "agreement-signatures"
    body = judged.to_json()
    assert body["bases"][0]["verdict"] == "TOTAL-PASSED"
    assert body["bases"][0]["signatures"][0]["suite"] == suite
    check(body)


def test_a_broken_signature_on_the_agreement_fails_the_layer() -> None:
    data = wrapped()
    broken = data.replace("山河贸易有限公司".encode(), "山川贸易有限公司".encode())
    assert broken != data
    found = load_signed(broken)
    assert found.parties[0].name == "山川贸易有限公司"
    assert judge(report(ONE), found).signatures[0].agreed.result == "failed"


@pytest.mark.parametrize("suite", SIGNING)
def test_detached_signatures_on_the_agreement(suite: str) -> None:
    circle, data = circle_of(suite), agreement()

    def judged(cms: bytes, content: bytes | None) -> Any:
        return verify(cms, circle, content=content).signatures

    cms = wrapped(suite, data, detached=True)
    good = load_agreement(data, verify=judged, detached=[cms, cms])
    assert [one.verdict for one in good.signatures or ()] == [Verdict.TOTAL_PASSED] * 2
    assert judge(report(ONE), good).signatures[0].agreed.result == "passed"
    changed = load_agreement(agreement(number="2"), verify=judged, detached=[cms])
    assert judge(report(ONE), changed).signatures[0].agreed.result == "failed"
    both = load_agreement(wrapped(suite, data), verify=judged, detached=[cms])
    assert [one.verdict for one in both.signatures or ()] == [Verdict.TOTAL_PASSED, Verdict.TOTAL_FAILED]
    with pytest.raises(BasisError, match="nobody is here"):
        load_agreement(data, detached=[cms])
    with pytest.raises(BasisError, match="more than 50"):
        load_agreement(data, verify=judged, detached=[cms] * 51)


def test_what_is_no_signature_on_the_agreement_is_none(suite_name: str) -> None:
    circle, data = circle_of(suite_name), agreement()

    def judged(cms: bytes, content: bytes | None) -> Any:
        return verify(cms, circle, content=content).signatures

    for other in (circle.organisation.certificate.der, signed(suite_name), b"", data):
        with pytest.raises(BasisError, match="no CMS signature"):
            load_agreement(data, verify=judged, detached=[other])
    stamped = load_agreement(data, verify=judged, detached=[document_stamp(circle)(data)])
    assert [one.verdict for one in stamped.signatures or ()] == [Verdict.TOTAL_PASSED]
    assert judge(report(ONE), stamped).signatures[0].agreed.result == "failed"


def test_an_agreement_signed_by_strangers_proves_nothing() -> None:
    found = load_signed(wrapped(), trusting=False)
    assert judge(report(ONE), found).signatures[0].agreed.result == "not-checked"


def test_a_signed_agreement_is_refused_where_nobody_verifies_it() -> None:
    with pytest.raises(BasisError, match="nobody is here to verify"):
        load_agreement(wrapped())
    with pytest.raises(BasisError, match="does not carry the agreement"):
        load_signed(wrapped(detached=True))


# -- reading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"\xff", "UTF-8"),
        (b"", "schema: a text is missing"),
        (b"{", "neither JSON nor TOML"),
        (b'{"schema": "x", "schema": "y"}', "a key stands twice"),
        (b"[[[", "neither JSON nor TOML"),
        (b'{"a": ' + b"[" * 2000 + b"]" * 2000 + b"}", "neither JSON nor TOML|nested"),
        (agreement(schema="sealroad.agreement/2"), "schema: this is not"),
        (agreement(parties=[]), "parties: an agreement has parties"),
        (agreement(parties="x"), "parties: this is no list"),
        (agreement(title=""), "title: this is no text"),
        (agreement(title="x" * 301), "title: the text is longer"),
        (agreement(surprise=1), "surprise: there is no such key"),
        (agreement(party={"suits": ["sm2"]}), r"parties\[0\].suits: there is no such key"),
        (agreement(party={"suites": ["sm3"]}), r"parties\[0\].suites: 'sm3' is none of"),
        (agreement(party={"suites": []}), r"parties\[0\].suites: this is no list, is empty"),
        (agreement(party={"suites": [1]}), r"parties\[0\].suites: a member"),
        (agreement(party={"digests": ["md5"]}), r"parties\[0\].digests"),
        (agreement(party={"key_sizes": {"rsa": True}}), r"parties\[0\].key_sizes.rsa"),
        (agreement(party={"key_sizes": {"dsa": 1}}), r"parties\[0\].key_sizes.dsa"),
        (agreement(party={"authorities": ["zz"]}), r"parties\[0\].authorities"),
        (agreement(party={"certificate_policies": ["1.2.x"]}), r"parties\[0\].certificate_policies"),
        (agreement(party={"level": "B-LTX"}), r"parties\[0\].level"),
        (agreement(party={"receipts": "yes"}), r"parties\[0\].receipts"),
        (agreement(party={"clauses": {"colour": "7"}}), r"parties\[0\].clauses.colour"),
        (agreement(party={"clauses": {"level": 7}}), r"parties\[0\].clauses.level"),
        (agreement(party={"identifiers": [{"scheme": "CN-USCC"}]}), r"parties\[0\].identifiers\[0\].value"),
        (agreement(valid_from="soon"), "valid_from: this is no moment"),
        (agreement(valid_from=7), "valid_from: this is no moment"),
        (agreement(valid_from="0001-01-01T00:00:00+23:00"), "valid_from: this moment is out of range"),
        (agreement(valid_from="2027-01-01", valid_to="2026-01-01"), "valid_to: the end is before"),
        (agreement(prevailing_language="fr"), "prevailing_language"),
        (b" " * (1 << 20) + b" ", "larger than"),
    ],
)
def test_a_fault_is_named_by_its_place(data: bytes, where: str) -> None:
    with pytest.raises(BasisError, match=where):
        load_agreement(data)


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"jurisdiction": "China"}, "jurisdiction"),
        ({"basis": None}, "basis"),
        ({"version": 2}, "version"),
        ({"conditions": {"lvl": "B-B"}}, "conditions.lvl"),
        ({"conditions": []}, "conditions: this is no table"),
        ({"law": "x"}, "law"),
    ],
)
def test_a_fault_in_a_policy(more: dict[str, Any], where: str) -> None:
    body = json.loads(policy())
    body.update(more)
    with pytest.raises(BasisError, match=where):
        load_policy(json.dumps({k: v for k, v in body.items() if v is not None}).encode())


@given(st.binary(max_size=200))
def test_any_octets_give_a_file_or_a_clear_error(data: bytes) -> None:
    for load in (load_agreement, load_policy):
        with pytest.raises(BasisError):
            load(data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", *NAMES]), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(["name", "country", "identifiers", "certificates", "clauses", *NAMES]), VALUES))
def test_any_party_gives_a_file_or_a_clear_error(party: dict[str, Any]) -> None:
    try:
        load_agreement(agreement(party=party))
    except BasisError:
        return


# -- the published examples and schemas ---------------------------------------------------------------


def plain(value: Any) -> Any:
    """Turn the dates of TOML into the text JSON has."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def test_the_examples_are_read_and_claim_no_law() -> None:
    found = load_agreement((EXAMPLES / "agreement.toml").read_bytes())
    assert found.valid_from == datetime(2026, 1, 15, tzinfo=UTC)
    assert [party.country for party in found.parties] == ["CN", "RU", "KZ"]
    example = load_policy((EXAMPLES / "policy.toml").read_bytes())
    assert example.jurisdiction == "XA"
    assert "EXAMPLE" in example.basis


def test_the_schemas_take_what_the_readers_take() -> None:
    for schema, load, example in (
        (agreement_schema(), load_agreement, "agreement.toml"),
        (policy_schema(), load_policy, "policy.toml"),
    ):
        Draft202012Validator.check_schema(schema)
        judge_of = Draft202012Validator(schema)
        judge_of.validate(plain(tomllib.loads((EXAMPLES / example).read_text("utf-8"))))
        assert list(judge_of.iter_errors({"schema": "x"}))
        with pytest.raises(BasisError):
            load(b'{"schema": "x"}')
    full = {name: value for name, value, _ in CONDITIONS if name != "certificate_policies"}
    Draft202012Validator(agreement_schema()).validate(json.loads(agreement(party=full)))
    load_agreement(agreement(party=full))


def test_no_jurisdiction_is_written_into_the_program() -> None:
    import signer.layers

    for file in Path(signer.layers.__file__).parent.glob("*.py"):
        text = file.read_text("utf-8")
        for word in ("China", "Russia", "63-FZ", "eIDAS", '"CN"', '"RU"'):
            assert word not in text, (file.name, word)
