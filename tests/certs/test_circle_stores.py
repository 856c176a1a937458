"""Circles with their keys in a store: what comes later (responders, rotation, rollover) goes there too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from certs import circle as circles
from certs.ca import ClosedCircle
from certs.ceremony import parse_script
from certs.certificate import Certificate, Subject, load_certificate
from certs.crl import CRL
from certs.errors import CertsError, IssuanceError, KeyNotFound
from certs.ocsp import make_request
from certs.ocsp_check import check_response
from tests.certs.test_ceremony import hold, script_of, seats
from tests.certs.test_tsa import token_of
from tests.certs.tokens import ask_pin, new_token
from tests.conftest import CLOCK, NOW, circle_of, keys_of

pytestmark = pytest.mark.usefixtures("cheap_passwords")
SEALED = "sealed:?kek=file:kek"


def make(place: Path, suite: str, keys: str) -> ClosedCircle:
    parameter = "2048" if suite.startswith("rsa") else None
    return circles.create(
        place,
        suite,
        organisation="Nord",
        country="DE",
        secrets=ask_pin,
        clock=CLOCK,
        parameter=parameter,
        keys=keys,
    )


def works(place: Path) -> ClosedCircle:
    """Every key of the circle signs: issuing, lists, answers, time-stamps."""
    circle = circles.load(place, ask_pin, CLOCK)
    circle.issue("person", Subject("王", country="CN"), keys_of("ed25519")[0].public_key.spki)
    for authority in circle.authorities:
        CRL(authority.crl()).check_signed_by(authority.certificate)
    found = circles.responders(place, circle, ask_pin, CLOCK)
    assert len(found.responders) == len(circle.authorities)
    for authority in circle.authorities:
        entry = next(entry for entry in authority.entries() if entry.state == "issued")
        assert entry.certificate is not None
        request = make_request([(Certificate(entry.certificate), authority.certificate)])
        answer = found.respond(request)
        assert check_response(answer, request, authority.certificate, NOW)[0].status == "good"
    token_of(circles.timestamper(place, circle, ask_pin, CLOCK))
    return circle


def keys_in(place: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((place / "circle.json").read_text("utf-8"))["keys"]
    return found


def grows(place: Path) -> None:
    """Rotate and roll over; nothing but the store gets a key."""
    assert sorted(keys_in(place)) == ["issuing", "ocsp", "root", "tsa"]
    circle = works(place)
    circles.rotate_tsa(place, circle, ask_pin)
    circles.roll_over(place, ask_pin, CLOCK, root=True)
    works(place)
    assert sorted(keys_in(place)) == ["issuing", "issuing-2", "ocsp", "root", "root-2", "tsa", "tsa-2"]
    assert not list(place.glob("*.key.pem"))


def test_sealed_keys_follow_a_circle_through_its_life(
    signing_suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(Path("ca"), signing_suite, SEALED)
    monkeypatch.chdir("/")  # the key-encryption key is found from anywhere
    grows(tmp_path / "ca")
    (tmp_path / "ca").rename(tmp_path / "moved")
    works(tmp_path / "moved")


@pytest.mark.interop
@pytest.mark.parametrize("suite", ["rsa", "rsa-pss", "ecdsa-p384", "ed25519"])
def test_a_token_holds_the_keys_of_every_generation(suite: str, tmp_path: Path) -> None:
    make(tmp_path / "ca", suite, new_token())
    grows(tmp_path / "ca")


def test_responders_answer_for_every_generation_of_a_circle_in_files(tmp_path: Path) -> None:
    make(tmp_path / "ca", "ed25519", "file:")
    for root in (False, True):
        circles.roll_over(tmp_path / "ca", ask_pin, CLOCK, root=root)
        works(tmp_path / "ca")


def test_a_next_generation_may_be_of_another_suite(tmp_path: Path) -> None:
    place = tmp_path / "ca"
    make(place, "sm2", f"sealed:?kek=file:{tmp_path}/kek")
    circles.roll_over(place, ask_pin, CLOCK, suite="ecdsa-p256")
    circle = works(place)
    assert [each.key.suite.name for each in circle.authorities] == ["ecdsa-p256", "sm2", "sm2"]
    found = circles.responders(place, circle, ask_pin, CLOCK).responders
    assert [each.certificate.suite_name for each in found] == ["ecdsa-p256", "sm2", "sm2"]
    assert sorted(keys_in(place)) == ["issuing", "issuing-2", "ocsp", "ocsp-2", "root", "tsa"]


def test_a_rotation_cut_short_leaves_its_name_unused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "ca"
    circle = make(place, "ed25519", f"sealed:?kek=file:{tmp_path}/kek")
    before = circles.timestamper(place, circle, ask_pin, CLOCK).certificate

    def killed(*_args: object, **_options: object) -> None:
        raise IssuanceError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(ClosedCircle, "issue", killed)
        with pytest.raises(IssuanceError):
            circles.rotate_tsa(place, circle, ask_pin)
    assert circles.timestamper(place, circle, ask_pin, CLOCK).certificate == before
    made = circles.rotate_tsa(place, circle, ask_pin)
    assert load_certificate((place / "tsa-3.pem").read_bytes()) == made
    works(place)


def test_keys_that_are_not_at_hand(tmp_path: Path) -> None:
    place = tmp_path / "ca"
    make(place, "ed25519", f"sealed:?kek=file:{tmp_path}/kek")
    (place / "root.sealed").unlink()
    circle = circles.load(place, ask_pin, CLOCK)
    assert len(circles.responders(place, circle, ask_pin, CLOCK).responders) == 2
    (place / "ocsp-root.pem").unlink()
    assert len(circles.responders(place, circle, ask_pin, CLOCK).responders) == 1
    with pytest.raises(KeyNotFound):
        circle.root_crl()


def test_a_file_store_is_the_default(tmp_path: Path) -> None:
    make(tmp_path / "ca", "ed25519", "file:")
    assert "keys" not in json.loads((tmp_path / "ca" / "circle.json").read_text("utf-8"))
    assert (tmp_path / "ca" / "ocsp.key.pem").exists()
    works(tmp_path / "ca")


def test_a_ceremony_signs_the_list_and_the_cross_certificate_of_a_circle_in_use(tmp_path: Path) -> None:
    place = tmp_path / "ca"
    make(place, "ed25519", f"sealed:?kek=file:{tmp_path}/kek")
    circles.roll_over(place, ask_pin, CLOCK, root=True)
    circle = circles.load(place, ask_pin, CLOCK)
    theirs = circle_of("sm2").root
    (tmp_path / "theirs.pem").write_text(theirs.pem)
    parameters: dict[str, object] = {"directory": str(place), "authority": "root", "output": str(tmp_path / "root.crl")}
    hold(parse_script(script_of("crl", parameters, seats())), seats()[:2], tmp_path / "1")
    CRL((tmp_path / "root.crl").read_bytes()).check_signed_by(circle.root)
    parameters |= {"certificate": str(tmp_path / "theirs.pem"), "certificate_sha256": theirs.fingerprint()}
    parameters["output"] = str(tmp_path / "cross.pem")
    hold(parse_script(script_of("cross-certificate", parameters, seats())), seats()[:2], tmp_path / "2")
    cross = load_certificate((tmp_path / "cross.pem").read_bytes())
    cross.verify_signed_by(circle.root)
    assert (cross.spki, cross.path_length) == (theirs.spki, 1)
    (tmp_path / "theirs.pem").write_text(circle.root.pem)
    parameters |= {"certificate_sha256": circle.root.fingerprint(), "output": str(tmp_path / "own.pem")}
    with pytest.raises(CertsError, match="ended early"):
        hold(parse_script(script_of("cross-certificate", parameters, seats())), seats()[:2], tmp_path / "3")
    assert not (tmp_path / "own.pem").exists()
