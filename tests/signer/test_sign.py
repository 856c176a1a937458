"""PAdES signatures in every suite: what is made verifies, and one more never harms those before."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from certs import suites
from certs.clock import FixedClock
from certs.errors import MalformedInput, TimeStampError, UnsupportedAlgorithm
from certs.signed_data import parse_signed_data
from signer.errors import FieldError, OptionError, SigningRefused, StaleRequest, UnreadableFile, WrongValue
from signer.pades.options import SignOptions
from signer.pades.sign import Prepared, complete, prepare, sign_bytes, sign_file
from signer.verify import verify_bytes
from tests.conftest import CLOCK, NOW, Circle, circle_of, make_pdf
from tests.signer.signing import (
    SIGNING_CERTIFICATE_V2,
    SIGNING_TIME,
    byte_ranges,
    check_all,
    edited,
    levels,
    many_pages,
    sign,
    signature_fields,
)


# Signatures ----------------------------------------------------------------------------------------------------------
def test_every_suite_signs_at_b_b(suite_name: str) -> None:
    source = make_pdf()
    signed = sign(source, suite_name)
    assert signed.startswith(source)
    assert check_all(signed) == [suite_name]
    assert levels(signed) == [False]


def test_every_suite_signs_at_b_t(suite_name: str) -> None:
    signed = sign(make_pdf(), suite_name, level="B-T")
    assert check_all(signed) == [suite_name]
    assert levels(signed) == [True]


def test_the_verifier_passes_it(signing_suite: str) -> None:
    signed = sign(make_pdf(), signing_suite, level="B-T", reason="Vertrag 42", location="Алматы")
    report = verify_bytes(signed, name="signed.pdf", trust=circle_of(signing_suite).trust, clock=CLOCK)
    assert report.verdict == "TOTAL-PASSED", report.to_text()
    assert report.signatures[0].suite == signing_suite
    assert report.signatures[0].level == "B-T"


def test_three_nations_sign_one_file_and_every_earlier_signature_still_holds() -> None:
    pdf = make_pdf()
    for count, name in enumerate(("sm2", "gost2012-256", "ecdsa-p256"), 1):
        before = pdf
        pdf = sign(pdf, name, level="B-T")
        assert pdf.startswith(before)
        assert len(check_all(pdf)) == count
    assert check_all(pdf) == ["sm2", "gost2012-256", "ecdsa-p256"]


def test_a_flipped_octet_anywhere_is_noticed(signing_suite: str) -> None:
    signed = sign(make_pdf(), signing_suite)
    ((_, before, behind, _),) = byte_ranges(signed)
    trust = circle_of(signing_suite).trust
    for at in (200, before - 30, behind + 5, before + 200, before + 700):
        octets = bytearray(signed)
        octets[at] ^= 0x01
        report = verify_bytes(bytes(octets), name="x.pdf", trust=trust, clock=CLOCK)
        assert report.verdict != "TOTAL-PASSED", at


def test_signed_attributes_are_those_of_pades(signing_suite: str) -> None:
    signed = sign(make_pdf(), signing_suite)
    ((_, before, behind, _),) = byte_ranges(signed)
    (signer,) = parse_signed_data(bytes.fromhex(signed[before + 1 : behind - 1].decode())).signers
    oids = [oid for oid, _ in signer.attributes]
    assert SIGNING_TIME not in oids
    assert SIGNING_CERTIFICATE_V2 in oids
    assert signer.signing_certificates[0].matches(circle_of(signing_suite).organisation.certificate)
    assert signer.digest_name == suites.get(signing_suite).digest_name


def test_a_commitment_becomes_an_attribute() -> None:
    signed = sign(make_pdf(), commitment="approval")
    ((_, before, behind, _),) = byte_ranges(signed)
    (signer,) = parse_signed_data(bytes.fromhex(signed[before + 1 : behind - 1].decode())).signers
    assert signer.values("1.2.840.113549.1.9.16.2.16")
    check_all(signed)


def test_the_dictionary_says_who_when_why_where() -> None:
    signed = sign(make_pdf(), "sm2", name="王𠮷", reason="同意", location="上海", contact="wang@example.cn")
    fields = signature_fields(signed)
    value = fields["Signature1"].V
    assert str(value.SubFilter) == "/ETSI.CAdES.detached"
    assert str(value.Filter) == "/Adobe.PPKLite"
    assert [str(value[key]) for key in ("/Name", "/Reason", "/Location", "/ContactInfo")] == [
        "王𠮷",
        "同意",
        "上海",
        "wang@example.cn",
    ]
    assert str(value.M).startswith("D:20261121100000")


def test_pkcs7_detached_can_be_chosen() -> None:
    signed = sign(make_pdf(), subfilter="adbe.pkcs7.detached")
    fields = signature_fields(signed)
    assert str(fields["Signature1"].V.SubFilter) == "/adbe.pkcs7.detached"
    check_all(signed)


def test_the_same_input_gives_the_same_octets() -> None:
    assert sign(make_pdf(), "ed25519") == sign(make_pdf(), "ed25519")


@pytest.mark.parametrize("save", [{}, {"object_stream_mode": pikepdf.ObjectStreamMode.generate}, {"linearize": True}])
def test_cross_reference_tables_and_streams_and_linearized_files(save: dict[str, object]) -> None:
    source = edited(lambda pdf: None, many_pages(3), **save)
    signed = sign(sign(source), "ed25519", page=-1, box=(10, 10, 200, 60))
    assert len(check_all(signed)) == 2
    pikepdf.open(io.BytesIO(signed)).check_pdf_syntax()


def test_twenty_signatures_in_one_file() -> None:
    pdf = make_pdf()
    for _ in range(20):
        pdf = sign(pdf)
    assert len(check_all(pdf)) == 20
    assert len(signature_fields(pdf)) == 20


# Two steps -----------------------------------------------------------------------------------------------------------
@dataclass
class Step:
    circle: Circle
    source: Path
    target: Path
    prepared: Prepared
    options: SignOptions


def start(tmp_path: Path, suite_name: str = "ecdsa-p256", source: bytes | None = None, **options: object) -> Step:
    circle = circle_of(suite_name)
    path, target = tmp_path / "in.pdf", tmp_path / "prepared.pdf"
    path.write_bytes(source or make_pdf())
    chosen = SignOptions(**options)  # type: ignore[arg-type]
    holder = circle.organisation
    named = suite_name if suite_name == "rsa-pss" else None
    prepared = prepare(path, target, chosen, holder.certificate, (circle.issuing,), CLOCK, suite=named)
    return Step(circle, path, target, prepared, chosen)


def test_two_steps_with_the_key_elsewhere(tmp_path: Path, suite_name: str) -> None:
    step = start(tmp_path, suite_name)
    text = step.prepared.to_json()
    value = step.circle.organisation.key.sign(Prepared.from_json(text).dtbs)
    complete(step.target, Prepared.from_json(text), value=value)
    assert check_all(step.target.read_bytes()) == [suite_name]


def test_two_steps_are_the_one_step(tmp_path: Path) -> None:
    step = start(tmp_path, "ed25519", reason="x")
    holder = step.circle.organisation
    complete(step.target, step.prepared, value=holder.key.sign(step.prepared.dtbs))
    once = tmp_path / "once.pdf"
    made = sign_file(step.source, once, holder.key, holder.certificate, (step.circle.issuing,), step.options, CLOCK)
    assert once.read_bytes() == step.target.read_bytes()
    assert replace(step.prepared, file_sha256=None) == made


def test_a_preparation_survives_json(tmp_path: Path, signing_suite: str) -> None:
    prepared = start(tmp_path, signing_suite).prepared
    assert Prepared.from_json(prepared.to_json()) == prepared
    assert prepared.file_sha256 == suites.digest("sha256", (tmp_path / "prepared.pdf").read_bytes()).hex()
    assert prepared.dtbs_digest == suites.digest(prepared.digest_name, prepared.dtbs)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "sealroad.prepared/9"},
        {"contents_offset": -1},
        {"byte_range": [0, 1, 2]},
        {"byte_range": [0, 5, 2, 9]},
        {"dtbs": "***"},
        {"file_size": "12"},
        {"suite": 3},
        {"unknown": 1},
        {"chain_der": 5},
    ],
)
def test_a_preparation_that_is_none_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    import json

    text = start(tmp_path).prepared.to_json()
    with pytest.raises(MalformedInput):
        Prepared.from_json(json.dumps(json.loads(text) | change))
    with pytest.raises(MalformedInput):
        Prepared.from_json(text[:-5])


def test_a_value_that_does_not_verify_is_refused_and_the_file_stays(tmp_path: Path, signing_suite: str) -> None:
    step = start(tmp_path, signing_suite)
    before = step.target.read_bytes()
    key = step.circle.organisation.key
    good = key.sign(step.prepared.dtbs)
    flipped = good[:-1] + bytes((good[-1] ^ 1,))
    for value in (
        b"",
        good[:-1],
        flipped,
        key.sign(b"something else"),
        step.circle.person.key.sign(step.prepared.dtbs),
    ):
        with pytest.raises(WrongValue):
            complete(step.target, step.prepared, value=value)
        assert step.target.read_bytes() == before


@pytest.mark.parametrize("harm", ["content", "signed already", "longer", "shorter", "other file"])
def test_a_file_that_is_not_the_prepared_one_is_refused(tmp_path: Path, harm: str) -> None:
    step = start(tmp_path)
    value = step.circle.organisation.key.sign(step.prepared.dtbs)
    octets = step.target.read_bytes()
    match harm:
        case "content":
            octets = octets.replace(b"Sealroad", b"Sealroar", 1)
        case "signed already":
            complete(step.target, step.prepared, value=value)
            octets = step.target.read_bytes()
        case "longer":
            octets += b"\n"
        case "shorter":
            octets = octets[:-1]
        case "other file":
            octets = step.source.read_bytes()
    step.target.write_bytes(octets)
    with pytest.raises(StaleRequest):
        complete(step.target, step.prepared, value=value)
    assert step.target.read_bytes() == octets


def test_completing_can_write_elsewhere(tmp_path: Path) -> None:
    step = start(tmp_path)
    before = step.target.read_bytes()
    out = tmp_path / "out.pdf"
    complete(step.target, step.prepared, value=step.circle.organisation.key.sign(step.prepared.dtbs), target=out)
    assert step.target.read_bytes() == before
    check_all(out.read_bytes())


def test_a_value_or_a_cms_is_needed(tmp_path: Path) -> None:
    step = start(tmp_path)
    with pytest.raises(OptionError):
        complete(step.target, step.prepared)
    with pytest.raises(OptionError):
        complete(step.target, step.prepared, value=b"x", cms=b"y")


def test_the_digest_of_another_suite_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.pdf").write_bytes(make_pdf())
    certificate = circle_of("sm2").organisation.certificate
    with pytest.raises(OptionError):
        prepare(tmp_path / "in.pdf", tmp_path / "o.pdf", SignOptions(), certificate, (), CLOCK, digest="sha256")
    assert not (tmp_path / "o.pdf").exists()


def test_no_signature_of_an_old_suite_is_prepared(tmp_path: Path) -> None:
    from tests.certs.forge import forge
    from tests.certs.old_keys import OldKey

    (tmp_path / "in.pdf").write_bytes(make_pdf())
    key: Any = OldKey()
    with pytest.raises(UnsupportedAlgorithm, match="old signatures only"):
        prepare(tmp_path / "in.pdf", tmp_path / "o.pdf", SignOptions(), forge("Old", key, None, key), (), CLOCK)
    assert not (tmp_path / "o.pdf").exists()


# Time-stamps ---------------------------------------------------------------------------------------------------------
class Broken:
    def __init__(self, answer: bytes | Exception) -> None:
        self.answer = answer

    def stamp(self, digest_name: str, digest: bytes) -> bytes:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    "answer", [TimeStampError("no"), RuntimeError("boom"), OSError("down"), b"", b"\x30\x03\x02\x01\x00"]
)
def test_without_a_time_stamp_nothing_is_written(tmp_path: Path, answer: bytes | Exception) -> None:
    circle = circle_of("ecdsa-p256")
    (tmp_path / "in.pdf").write_bytes(make_pdf())
    holder = circle.organisation
    with pytest.raises(TimeStampError):
        sign_file(
            tmp_path / "in.pdf",
            tmp_path / "out.pdf",
            holder.key,
            holder.certificate,
            (),
            SignOptions(level="B-T"),
            CLOCK,
            Broken(answer),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["in.pdf"]


def test_a_time_stamp_for_other_data_is_refused() -> None:
    circle = circle_of("ecdsa-p256")
    other = circle.timestamper.stamp("sha256", bytes(32))
    holder = circle.organisation
    with pytest.raises(TimeStampError):
        sign_bytes(
            make_pdf(), holder.key, holder.certificate, (), SignOptions(level="B-T"), CLOCK, timestamper=Broken(other)
        )


def test_a_level_with_time_stamp_needs_an_authority() -> None:
    holder = circle_of("ecdsa-p256").organisation
    with pytest.raises(OptionError, match="authority"):
        sign_bytes(make_pdf(), holder.key, holder.certificate, (), SignOptions(level="B-T"), CLOCK)


@pytest.mark.parametrize("level", ["B-LT", "B-LTA"])
def test_long_term_levels_are_not_yet_offered(level: str) -> None:
    with pytest.raises(OptionError, match="not yet offered"):
        SignOptions(level=level)


# Key and certificate -------------------------------------------------------------------------------------------------
def test_a_certificate_of_another_key_is_refused() -> None:
    circle = circle_of("ecdsa-p256")
    with pytest.raises(OptionError, match="does not belong"):
        sign_bytes(make_pdf(), circle.person.key, circle.organisation.certificate, (), SignOptions(), CLOCK)


@pytest.mark.parametrize("days", [-10_000, 20_000])
def test_a_certificate_out_of_its_time_is_refused(days: int) -> None:
    holder = circle_of("ecdsa-p256").organisation
    clock = FixedClock(NOW + timedelta(days=days))
    with pytest.raises(SigningRefused) as caught:
        sign_bytes(make_pdf(), holder.key, holder.certificate, (), SignOptions(), clock)
    assert caught.value.facts["reason"] == "certificate-not-valid"


def test_a_certificate_for_another_use_is_refused() -> None:
    circle = circle_of("ecdsa-p256")
    key = circle.ca.issuing.key if hasattr(circle.ca.issuing, "key") else None
    if key is None:
        pytest.skip("the authority does not give its key")
    with pytest.raises(SigningRefused):
        sign_bytes(make_pdf(), key, circle.issuing, (), SignOptions(), CLOCK)


# Options -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "wrong",
    [
        {"level": "B-X"},
        {"certify": 4},
        {"page": 0},
        {"box": (1, 2, 3)},
        {"box": (10, 10, 5, 20)},
        {"box": (0, 0, float("nan"), 9)},
        {"subfilter": "adbe.x509.rsa_sha1"},
        {"commitment": "nonsense"},
        {"commitment": "approval", "reason": "r"},
        {"reason": "x" * 2000},
        {"name": "a\x00b"},
        {"field": ""},
        {"field": "a..b"},
        {"reserve": -1},
    ],
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        SignOptions(**wrong)  # type: ignore[arg-type]


def test_too_little_room_is_an_error_not_a_cut_signature(tmp_path: Path) -> None:
    step = start(tmp_path)
    big = replace(step.prepared, chain_der=tuple(circle_of(n).root.der for n in ("rsa", "ml-dsa-65", "ecdsa-p384")))
    before = step.target.read_bytes()
    with pytest.raises(SigningRefused) as caught:
        complete(step.target, big, value=step.circle.organisation.key.sign(step.prepared.dtbs))
    assert caught.value.facts["reason"] == "reserved-size"
    assert step.target.read_bytes() == before


def test_names_of_new_fields_do_not_collide() -> None:
    pdf = sign(sign(make_pdf()), field="Signature2")
    pdf = sign(pdf)
    assert sorted(signature_fields(pdf)) == ["Signature1", "Signature2", "Signature3"]
    with pytest.raises(FieldError):
        sign(pdf, field="Signature1")


# Files ---------------------------------------------------------------------------------------------------------------
def test_the_output_may_not_be_the_input(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(make_pdf())
    (tmp_path / "link.pdf").symlink_to(path)
    holder = circle_of("ecdsa-p256").organisation
    for target in (path, tmp_path / "link.pdf"):
        with pytest.raises(OptionError):
            sign_file(path, target, holder.key, holder.certificate, (), SignOptions(), CLOCK)
    assert path.read_bytes() == make_pdf()


def test_a_missing_source_or_folder_has_a_code(tmp_path: Path) -> None:
    holder = circle_of("ecdsa-p256").organisation
    (tmp_path / "a.pdf").write_bytes(make_pdf())
    for source, target in (("none.pdf", "o.pdf"), ("a.pdf", "no/such/o.pdf")):
        with pytest.raises(UnreadableFile):
            sign_file(tmp_path / source, tmp_path / target, holder.key, holder.certificate, (), SignOptions(), CLOCK)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("where", ["replace", "fsync"])
def test_a_failure_while_writing_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool, where: str
) -> None:
    if large:
        monkeypatch.setattr("signer.pades.working.IN_MEMORY", 10)
    (tmp_path / "in.pdf").write_bytes(make_pdf())
    (tmp_path / "out.pdf").write_bytes(b"what was there before")

    def fail(*arguments: object, **keywords: object) -> None:
        raise OSError(28, "No space left on device")

    if where == "replace":
        monkeypatch.setattr(Path, "replace", fail)
    else:
        monkeypatch.setattr("os.fsync", fail)
    holder = circle_of("ecdsa-p256").organisation
    with pytest.raises(UnreadableFile, match="No space left"):
        sign_file(tmp_path / "in.pdf", tmp_path / "out.pdf", holder.key, holder.certificate, (), SignOptions(), CLOCK)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.pdf", "out.pdf"]
    assert (tmp_path / "out.pdf").read_bytes() == b"what was there before"


def test_large_files_go_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = start(tmp_path, "ed25519", sign(many_pages(3)), box=(10, 10, 200, 80))
    small = step.target.read_bytes()
    monkeypatch.setattr("signer.pades.working.IN_MEMORY", 10)
    again = tmp_path / "again"
    again.mkdir()
    other = start(again, "ed25519", step.source.read_bytes(), box=(10, 10, 200, 80))
    assert other.target.read_bytes() == small
    assert other.prepared == step.prepared
    value = step.circle.organisation.key.sign(step.prepared.dtbs)
    complete(other.target, other.prepared, value=value)
    monkeypatch.undo()
    complete(step.target, step.prepared, value=value)
    assert other.target.read_bytes() == step.target.read_bytes()
    assert len(check_all(step.target.read_bytes())) == 2


@pytest.mark.slow
def test_a_hundred_megabytes_need_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    def fill(pdf: pikepdf.Pdf) -> None:
        pdf.Root.Blob = pdf.make_stream(bytes(range(256)) * (400 * 1024))

    path = tmp_path / "big.pdf"
    path.write_bytes(edited(fill, compress_streams=False))
    assert path.stat().st_size > 100_000_000
    holder = circle_of("ecdsa-p256").organisation
    sign(make_pdf())
    tracemalloc.start()
    sign_file(path, tmp_path / "out.pdf", holder.key, holder.certificate, (), SignOptions(), CLOCK)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12_000_000
    assert check_all((tmp_path / "out.pdf").read_bytes()) == ["ecdsa-p256"]
