"""A signature names the framework agreement it was made under by its hash; the verifier says which one, or none."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from certs import canonical, der, oids, signature_policy, suites
from certs.describe import describe
from certs.errors import MalformedInput
from certs.signed_data import attribute, build_signed_data, signed_attributes
from certs.trust import TrustStore
from signer.cms import cades_attributes, finish, sign_detached
from signer.errors import BasisError, OptionError, WrongValue
from signer.layers import agreement_octets, judge, load_agreement
from signer.layers.bundle import Signed, read, write
from signer.layers.foresight import Intent, objections
from signer.pades.options import NationalForm, SignOptions
from signer.pades.sign import Prepared, complete, prepare, sign_bytes
from signer.report import CheckResult, SignaturePolicyReport, TimeReport, to_text
from signer.report_schema import signed_agreement_schema, termination_schema
from signer.verify import verify_bytes
from tests.conftest import ALL_SUITES, CLOCK, NOW, SIGNING, Circle, circle_of, make_pdf
from tests.signer.conftest import check as check_schema
from tests.signer.test_layers import ONE, agreement, report
from tests.signer.test_report import signature
from tests.signer.test_verify import verify

FIRST = agreement(party={"name": "Anybody"})
OTHER = agreement(party={"name": "Anybody"}, number="2")


def party_of(circle: Circle, **conditions: Any) -> dict[str, Any]:
    return {"name": circle.organisation.certificate.organisation or "", **conditions}


def framework(circle: Circle, **more: Any) -> bytes:
    return canonical.encode(json.loads(agreement(party=party_of(circle), **more)))


def sign(circle: Circle, octets: bytes | None, **options: Any) -> bytes:
    holder = circle.organisation
    chosen = SignOptions(agreement=octets, **options)
    stamper = circle.timestamper if chosen.level == "B-T" else None
    return sign_bytes(make_pdf(), holder.key, holder.certificate, (circle.issuing,), chosen, CLOCK, stamper)


def bound(data: bytes, circle: Circle, octets: bytes, **more: Any) -> tuple[str, CheckResult]:
    """Return the result of the layer, and the check of the binding."""
    judged = judge(verify(data, circle, **more), load_agreement(octets))
    check_schema(judged.to_json())
    layer = judged.signatures[0].agreed
    (found,) = [one for one in layer.checks if one.id == "agreement-binding"]
    return layer.result, found


# -- every suite, every way to sign -------------------------------------------------------------------


@pytest.mark.parametrize("suite", ALL_SUITES)
def test_a_signature_in_one_step(suite: str) -> None:
    circle = circle_of(suite)
    octets, other = framework(circle), framework(circle, number="2")
    data = sign(circle, octets, level="B-T")
    result, found = bound(data, circle, octets)
    assert (result, found.result) == ("passed", "passed")
    assert found.basis.startswith(oids.name(suites.digest_oid(suites.get(suite).stamp_digest_name)))
    result, found = bound(data, circle, other)
    assert (result, found.result, found.detail) == ("failed", "failed", "it names another agreement")


@pytest.mark.parametrize("suite", SIGNING)
def test_a_signature_whose_key_is_elsewhere(suite: str, tmp_path: Path) -> None:
    circle = circle_of(suite)
    holder, octets = circle.organisation, framework(circle)
    source, waiting = tmp_path / "in.pdf", tmp_path / "waiting.pdf"
    source.write_bytes(make_pdf())
    options = SignOptions(agreement=octets, reserve=20_000)
    made = prepare(source, waiting, options, holder.certificate, (circle.issuing,), CLOCK)
    kept = Prepared.from_json(made.to_json())
    assert kept == made
    complete(waiting, kept, value=holder.key.sign(kept.dtbs), target=tmp_path / "value.pdf")
    assert bound((tmp_path / "value.pdf").read_bytes(), circle, octets)[1].result == "passed"

    def cms(extra: list[bytes]) -> bytes:
        asked = signed_attributes(holder.key.suite, holder.certificate, kept.document_digest, extra=extra)
        return finish(holder.key.suite, holder.certificate, (), asked, holder.key.sign(asked))

    assert kept.policy_der is not None
    others = signature_policy.encode(OTHER, holder.key.suite.stamp_digest_name)
    for wrong in ([], [attribute(oids.SIGNATURE_POLICY, others)]):
        with pytest.raises(WrongValue, match="agreement"):
            complete(waiting, kept, cms=cms(wrong), target=tmp_path / "never.pdf")
    complete(waiting, kept, cms=cms([attribute(oids.SIGNATURE_POLICY, kept.policy_der)]), target=tmp_path / "cms.pdf")
    assert bound((tmp_path / "cms.pdf").read_bytes(), circle, octets)[1].result == "passed"


def test_a_preparation_from_before_there_were_agreements_can_be_completed(tmp_path: Path) -> None:
    circle = circle_of("ecdsa-p256")
    source = tmp_path / "in.pdf"
    source.write_bytes(make_pdf())
    made = prepare(source, tmp_path / "w.pdf", SignOptions(), circle.organisation.certificate, (), CLOCK)
    old = json.loads(made.to_json())
    del old["policy_der"]
    assert Prepared.from_json(old) == made


@pytest.mark.parametrize("suite", SIGNING)
def test_a_detached_signature(suite: str, tmp_path: Path) -> None:
    circle = circle_of(suite)
    holder, octets = circle.organisation, framework(circle)
    content = tmp_path / "content"
    content.write_bytes(b"goods")
    with content.open("rb") as stream:
        cms = sign_detached(stream, holder.key, holder.certificate, clock=CLOCK, agreement=octets)
    assert bound(cms, circle, octets, content=b"goods")[1].result == "passed"
    (said,) = describe(cms)
    policy = said["signers"][0]["policy"]
    assert policy["oid"] == signature_policy.name_of(octets)
    assert policy["value"] == suites.digest(holder.key.suite.stamp_digest_name, octets).hex()


def test_what_excludes_an_agreement() -> None:
    with pytest.raises(OptionError, match="reason"):
        SignOptions(agreement=FIRST, reason="Approved")
    with pytest.raises(OptionError):
        SignOptions(agreement=FIRST, national=NationalForm())


# -- what the verifier says ---------------------------------------------------------------------------


def judged_alone(policy: SignaturePolicyReport | None, **more: Any) -> tuple[str, str, str]:
    octets = agreement(**more)
    layer = judge(report(replace(ONE, policy=policy)), load_agreement(octets)).signatures[0].agreed
    (found,) = [one for one in layer.checks if one.id == "agreement-binding"]
    return layer.result, found.result, found.detail


def named(octets: bytes, digest: str = "sha256", oid: str | None = None) -> SignaturePolicyReport:
    return SignaturePolicyReport(
        oid or signature_policy.name_of(octets), suites.digest_oid(digest), suites.digest(digest, octets).hex()
    )


def test_an_unbound_signature_is_judged_as_it_always_was() -> None:
    assert judged_alone(None) == ("passed", "not-checked", "it names no agreement")
    assert judged_alone(SignaturePolicyReport("", None, "")) == (
        *("passed", "not-checked"),
        "its rules are implied, not named",
    )
    assert judged_alone(named(b"AGE", oid="2.16.724.1.3.1.1.2.1.9"))[:2] == ("passed", "not-checked")


@pytest.mark.parametrize(
    "policy", [None, SignaturePolicyReport("", None, ""), named(b"AGE", oid="2.16.724.1.3.1.1.2.1.9")]
)
def test_an_agreement_may_demand_that_it_is_named(policy: SignaturePolicyReport | None) -> None:
    assert judged_alone(policy, binding="required")[:2] == ("failed", "failed")
    assert judged_alone(named(agreement(binding="required")), binding="required")[:2] == ("passed", "passed")


def test_the_name_alone_binds_nothing() -> None:
    octets = agreement()
    stolen = replace(named(b"something else"), oid=signature_policy.name_of(octets))
    assert judged_alone(stolen)[:2] == ("failed", "failed")
    renamed = replace(named(octets), oid="2.25.1")
    assert judged_alone(renamed)[:2] == ("passed", "passed")


def test_a_weak_digest_binds_nothing() -> None:
    for digest in ("sha1", "sha224"):
        assert judged_alone(named(agreement(), digest))[:2] == ("passed", "not-checked")
        assert judged_alone(named(agreement(binding="required"), digest), binding="required")[0] == "failed"


def test_a_signature_under_the_agreement_before() -> None:
    before = agreement()
    now = {"supersedes": suites.digest("sha256", before).hex(), "valid_from": "2020-01-01"}
    assert judged_alone(named(before), **now)[1:] == ("failed", "it names the agreement that this one supersedes")
    assert judged_alone(named(before, "sm3"), **now)[:2] == ("failed", "failed")


@pytest.mark.parametrize(
    "values",
    [
        [b"\x04\x01x"],
        [b"\x30\x00"],
        [der.sequence(der.oid("2.25.1"))],
        [der.sequence(der.oid("2.25.1"), der.sequence(der.oid(oids.SHA256)))],
        [signature_policy.encode(FIRST, "sha256"), signature_policy.encode(OTHER, "sha256")],
    ],
)
def test_an_attribute_that_cannot_be_read_binds_nothing_and_breaks_nothing(values: list[bytes]) -> None:
    circle = circle_of("ecdsa-p256")
    holder = circle.organisation
    asked = signed_attributes(
        holder.key.suite,
        holder.certificate,
        suites.digest("sha256", b"goods"),
        signing_time=NOW,
        extra=[attribute(oids.SIGNATURE_POLICY, *values)],
    )
    cms = finish(holder.key.suite, holder.certificate, (circle.issuing,), asked, holder.key.sign(asked))
    found = verify(cms, circle, content=b"goods")
    assert found.verdict == "TOTAL-PASSED"
    assert bound(cms, circle, framework(circle), content=b"goods")[1].result == "failed"
    assert "malformed-input" in str(describe(cms)[0]["signers"][0]["policy"])


@given(st.binary(max_size=200))
def test_any_octets_as_the_attribute(value: bytes) -> None:
    try:
        signature_policy.read(value)
    except MalformedInput:
        pass


# -- one file with the signatures and what ended it ---------------------------------------------------


def signed_by(circle: Circle, octets: bytes) -> bytes:
    holder = circle.organisation
    asked = cades_attributes(
        holder.key.suite, holder.certificate, suites.digest(holder.key.suite.digest_name, octets), NOW
    )
    return finish(holder.key.suite, holder.certificate, (circle.issuing,), asked, holder.key.sign(asked))


def two_parties(**more: Any) -> tuple[Circle, Circle, bytes]:
    first, second = circle_of("sm2"), circle_of("gost2012-256")
    body = {
        "schema": "sealroad.agreement/1",
        "title": "框架协议 / Рамочное соглашение",
        "parties": [party_of(first), party_of(second)],
        **more,
    }
    return first, second, canonical.encode(body)


def loaded(data: bytes, *circles: Circle) -> Any:
    anchors = [circle.ca.root for circle in circles]
    crls = [crl for circle in circles for crl in circle.crls]
    trust = TrustStore(anchors=tuple(anchors), crls=tuple(crls))
    return load_agreement(
        data,
        verify=lambda cms, content: verify_bytes(cms, name="a", trust=trust, clock=CLOCK, content=content).signatures,
    )


def ending_of(octets: bytes, **more: Any) -> bytes:
    return canonical.encode(
        {
            "schema": "sealroad.termination/1",
            "title": "End",
            "terminates": suites.digest("sha256", octets).hex(),
            "effective_from": (NOW + timedelta(days=1)).isoformat(),
            **more,
        }
    )


def test_the_file_says_who_signed_and_who_did_not() -> None:
    first, second, octets = two_parties()
    whole = write(Signed(octets, (signed_by(first, octets), signed_by(second, octets))))
    Draft202012Validator(signed_agreement_schema()).validate(json.loads(whole))
    assert agreement_octets(whole) == octets
    made = loaded(whole, first, second)
    data = sign(first, octets, level="B-T")
    layer = judge(verify(data, first), made).signatures[0].agreed
    assert layer.result == "passed", layer.checks
    for signatures in ((), (signed_by(first, octets),), (signed_by(first, octets),) * 2):
        made = loaded(write(Signed(octets, signatures)), first, second)
        layer = judge(verify(data, first), made).signatures[0].agreed
        assert (layer.result, layer.checks[0].id) == ("failed", "agreement-signatures")
        assert "not signed by" in layer.checks[0].detail


def test_a_signature_on_other_octets_is_none_on_these() -> None:
    first, second, octets = two_parties()
    _, _, others = two_parties(number="2")
    made = loaded(write(Signed(octets, (signed_by(first, octets), signed_by(second, others)))), first, second)
    assert judge(report(ONE), made).signatures[0].agreed.checks[0].result == "failed"


@pytest.mark.parametrize("all_of_them", [True, False])
@pytest.mark.parametrize(("days", "expected"), [(-1, "failed"), (1, "passed")])
def test_an_end_that_the_parties_signed(all_of_them: bool, days: int, expected: str) -> None:
    first, second, octets = two_parties()
    end = ending_of(octets, effective_from=(NOW + timedelta(days=days)).isoformat())
    Draft202012Validator(termination_schema()).validate(json.loads(end))
    signers = (first, second) if all_of_them else (first,)
    both = (signed_by(first, octets), signed_by(second, octets))
    data = write(Signed(octets, both), (Signed(end, tuple(signed_by(each, end) for each in signers)),))
    layer = judge(verify(sign(first, octets, level="B-T"), first), loaded(data, first, second)).signatures[0].agreed
    (found,) = [one for one in layer.checks if one.id == "agreement-ended"]
    # an end that not all signed ends nothing, but nobody may overlook it either
    assert found.result == (expected if all_of_them or expected == "passed" else "not-checked")


def test_a_claimed_time_before_the_end_is_not_enough() -> None:
    first, second, octets = two_parties()
    both = tuple(signed_by(each, octets) for each in (first, second))
    end = ending_of(octets)
    data = write(Signed(octets, both), (Signed(end, tuple(signed_by(each, end) for each in (first, second))),))
    claiming = verify(sign(first, octets), first)
    assert claiming.signatures[0].signed_at == TimeReport(NOW, "claimed")
    layer = judge(claiming, loaded(data, first, second)).signatures[0].agreed
    assert [one.result for one in layer.checks if one.id == "agreement-ended"] == ["not-checked"]


def test_a_new_version_ends_the_old_one() -> None:
    first, second, octets = two_parties()
    begins = {"supersedes": suites.digest("sha256", octets).hex(), "valid_from": NOW.isoformat()}
    _, _, newer = two_parties(**begins)
    both = tuple(signed_by(each, octets) for each in (first, second))
    again = tuple(signed_by(each, newer) for each in (first, second))
    made = loaded(write(Signed(octets, both), (Signed(newer, again),)), first, second)
    layer = judge(verify(sign(first, octets, level="B-T"), first), made).signatures[0].agreed
    (found,) = [one for one in layer.checks if one.id == "agreement-ended"]
    assert (found.result, found.detail.split()[0]) == ("failed", "supersession")


BROKEN_ENDS = [
    {"terminates": "0" * 64},
    {"schema": "sealroad.policy/1"},
    {"effective_from": "soon"},
    {"effective_from": None},
    {"more": 1},
    {"terminates": 1},
]


@pytest.mark.parametrize("change", BROKEN_ENDS)
def test_an_end_that_is_none_is_refused(change: dict[str, Any]) -> None:
    _, _, octets = two_parties()
    body = {**json.loads(ending_of(octets)), **change}
    end = canonical.encode({key: value for key, value in body.items() if value is not None})
    with pytest.raises(BasisError):
        load_agreement(write(Signed(octets), (Signed(end),)))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_octets_are_read_or_refused(data: st.DataObject) -> None:
    _, _, octets = two_parties()
    whole = bytearray(write(Signed(octets), (Signed(ending_of(octets)),)))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    for each in (bytes(whole), data.draw(st.binary(max_size=300))):
        try:
            load_agreement(each, verify=lambda cms, content: ())
        except BasisError:
            pass


@pytest.mark.parametrize(
    "text",
    [
        '{"schema":"sealroad.signed-agreement/1","schema":"sealroad.signed-agreement/1","octets":"","signatures":[]}',
        '{"schema":"sealroad.signed-agreement/1","octets":"e30=","signatures":[1e999]}',
        '{"schema":"sealroad.signed-agreement/1","octets":"e30=","signatures":["*"]}',
        '{"schema":"sealroad.signed-agreement/1","octets":"e30=","signatures":[],"more":1}',
        '{"schema":"sealroad.signed-agreement/1","octets":7,"signatures":[]}',
        '{"schema":"sealroad.signed-agreement/1","octets":"\\ud800","signatures":[]}',
        '{"schema":"sealroad.signed-agreement/1","octets":"e30=","signatures":[],"ended_by":{}}',
    ],
)
def test_a_file_with_a_trick_is_refused(text: str) -> None:
    with pytest.raises(BasisError):
        load_agreement(text.encode())


def test_the_name_of_the_schema_in_a_title_makes_no_bundle() -> None:
    octets = agreement(title="sealroad.signed-agreement/1")
    octets = octets.replace(b'"FA"', b'"sealroad.signed-agreement/1"')
    assert load_agreement(octets).title == "sealroad.signed-agreement/1"


def test_a_bundle_is_spelt_one_way() -> None:
    _, _, octets = two_parties()
    data = write(Signed(octets, (b"x",)))
    again = read(data)
    assert write(again.agreement, again.endings) == data
    assert base64.b64decode(json.loads(data)["octets"]) == octets


# -- before anything is signed ------------------------------------------------------------------------


@pytest.mark.parametrize("suite", SIGNING)
def test_what_an_agreement_will_refuse_is_known_before(suite: str) -> None:
    circle = circle_of(suite)
    certificate = circle.organisation.certificate
    intent = Intent(certificate, (circle.ca.root, circle.issuing), suite, "B-T", NOW, circle.tsa.certificate)
    good = {"suites": [suite], "level": "B-T", "authorities": [circle.issuing.fingerprint()]}
    good |= {"anchors": [circle.ca.root.fingerprint()], "time_authorities": [circle.tsa.certificate.fingerprint()]}
    assert objections(intent, agreement(party=party_of(circle, **good), binding="required")) == ()
    another = next(name for name in SIGNING if name != suite)
    for wrong, said in (
        ({"suites": [another]}, "suites"),
        ({"level": "B-LT"}, "level"),
        ({"authorities": ["0" * 64]}, "authorities"),
        ({"anchors": ["0" * 64]}, "anchors"),
        ({"time_authorities": ["0" * 64]}, "time-authorities"),
        ({"certificates": ["0" * 64]}, "party"),
    ):
        found = objections(intent, agreement(party=party_of(circle, **{**good, **wrong})))
        assert [one.id for one in found] == [said]
    late = replace(intent, moment=NOW + timedelta(days=9))
    until = {"valid_to": (NOW + timedelta(days=8)).isoformat()}
    assert [one.id for one in objections(late, agreement(party=party_of(circle), **until))] == ["in-force"]
    assert objections(replace(intent, chain=(circle.issuing,)), agreement(party=party_of(circle, **good))) == ()
    assert objections(replace(intent, stamper=None), agreement(party=party_of(circle, **good))) == ()


def test_the_report_of_every_signature_can_name_its_rules() -> None:
    assert signature().to_json()["policy"] is None
    body = build_signed_data(b"x", circle_of("rsa").organisation.key, circle_of("rsa").organisation.certificate)
    assert verify(body, circle_of("rsa")).signatures[0].policy is None


@pytest.mark.parametrize(
    ("lang", "this", "another", "none"),
    [
        ("en", "names this agreement by its hash", "names another agreement", "names no agreement"),
        ("zh", "以哈希值指明本协议", "指明另一协议", "未指明任何协议"),
        ("ru", "называет это соглашение по хэшу", "называет другое соглашение", "не называет никакого соглашения"),
    ],
)
def test_people_are_told_which_agreement_a_signature_names(lang: str, this: str, another: str, none: str) -> None:
    octets = agreement()
    for policy, words in ((named(octets), this), (named(b"other"), another), (None, none)):
        judged = judge(report(replace(ONE, policy=policy)), load_agreement(octets))
        assert words in to_text(judged, lang)
    assert none not in to_text(report(ONE), lang)
