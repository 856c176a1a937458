"""A running service sees what others do to the directory of a circle: its next generation, its next keys."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.auth.service import SCOPES
from api.config import Settings
from api.pki.circle import Circle
from api.pki.circles import Circles
from api.vault import Vault
from certs import circle as directories
from certs import suites
from certs.certificate import Certificate, load_certificates
from certs.clock import SystemClock
from certs.errors import KeyNotFound
from certs.path import validate_path
from certs.timestamp import check_response, make_request
from certs.trust import TrustStore
from tests.api.conftest import User, serving
from tests.api.test_certificate_status import renewal, told
from tests.api.test_certificates import bundle, issued
from tests.conftest import keys_of


@pytest.fixture
def own(tmp_path: Path) -> Iterator[User]:
    """A tenant of a service of its own, whose circles may be changed."""
    with serving(Settings(data=tmp_path / "data", port=0, checkpoint_interval=None)) as service:
        yield service.user(scopes=SCOPES)


def rollover(user: User, suite: str, *words: str) -> None:
    data = str(user.context.settings.data)
    command = [sys.executable, "-m", "api.cli", "circle", "rollover", suite, *words, "--data", data]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def cacerts(user: User, suite: str) -> tuple[Certificate, ...]:
    return bundle(user.http.get(f"/.well-known/est/{suite}/cacerts"))


def test_the_next_generation_is_in_use_at_once_and_the_earlier_ones_still_answer(own: User, kind_suite: str) -> None:
    first = issued(own, kind_suite)
    assert told(own, first) == (None, "good")
    old_root = load_certificates(first["chain"].encode())[-1]
    assert set(cacerts(own, kind_suite)) == set(load_certificates(first["chain"].encode())[1:])
    rollover(own, kind_suite, "--root")
    began = time.monotonic()
    second = issued(own, kind_suite)
    assert time.monotonic() - began < 60  # a busy machine may be slow
    old, new = (load_certificates(found["chain"].encode()) for found in (first, second))
    assert not {certificate.fingerprint() for certificate in new[1:]} & {each.fingerprint() for each in old[1:]}
    assert new[0].verify_signed_by(new[1]) == kind_suite
    assert told(own, second) == (None, "good")
    assert told(own, first) == (None, "good")
    request = renewal(keys_of(kind_suite)[1])
    renewed = own.post(f"/v1/certificates/{first['id']}/renew", json=request)  # across generations
    assert renewed.status_code == 201, renewed.text
    assert load_certificates(renewed.json()["chain"].encode())[1:] == new[1:]
    for found, issuer in ((first, old[1]), (second, new[1])):
        own.post(f"/v1/certificates/{found['id']}/revoke", json={"reason": "superseded"})
        assert told(own, found) == ("superseded", "revoked")
        assert own.http.get(f"/pki/certs/{issuer.ski.hex() if issuer.ski else ''}.cer").content == issuer.der

    # RFC 7030 4.1.3: both generations, and the links by which who trusts one root reaches the other
    published = cacerts(own, kind_suite)
    links = [each for each in published if each.self_issued and each not in (old_root, new[-1])]
    assert set(published) == {*old[1:], *new[1:], *links}
    new_with_old = next(each for each in links if each.spki == new[-1].spki)
    old_with_new = next(each for each in links if each.spki == old_root.spki)
    assert len(links) == 2
    assert new_with_old.verify_signed_by(old_root) == old_with_new.verify_signed_by(new[-1]) == kind_suite
    for each in published:
        assert own.http.get(f"/pki/certs/{each.fingerprint()}.cer").content == each.der
    now = SystemClock().now()
    third = load_certificates(issued(own, kind_suite)["chain"].encode())[0]
    for anchor in (old_root, new[-1]):
        result = validate_path(third, published, TrustStore().with_((anchor,)), now, revocation="if-present")
        assert result.passed, result.checks[-1]


def test_every_process_sees_a_rollover_and_a_new_time_stamping_key(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    one, two = (Circles(settings, Vault(bytes(32))) for _ in range(2))
    circle = one.get("ed25519")
    assert two.get("ed25519").chain == circle.chain
    request = make_request("sha256", suites.digest("sha256", b"x"))
    before = check_response(circle.tsa.respond(request), request).certificate()
    two.roll_over("ed25519")
    assert one.get("ed25519") is circle
    assert circle.chain == two.get("ed25519").chain
    assert len(circle.authorities) == 3
    assert circle.root == two.get("ed25519").root
    place = tmp_path / "pki" / "ed25519"
    directories.rotate_tsa(place, two.get("ed25519")._now().authority, two._secrets("ed25519"))
    after = check_response(circle.tsa.respond(request), request).certificate()
    assert before is not None
    assert after is not None
    assert after != before
    assert circle.find(before.fingerprint()) == before
    assert after.verify_signed_by(circle.chain[0])
    for each in (one, two):
        each.close()
    # what was stamped before and after is counted: no batch of signatures stays open
    from certs.audit.verify import verify

    books = directories.books(place, settings.clock)
    report = verify(books.log, ledger=books.ledger, issuers=books.issuers, store=books.store)
    assert report.good
    assert report.notes == []


def test_nothing_is_loaded_again_while_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    circles = Circles(Settings(data=tmp_path), Vault(bytes(32)))
    circle = circles.get("ed25519")
    request = make_request("sha256", suites.digest("sha256", b"x"))

    def use() -> None:
        check_response(circle.tsa.respond(request), request)
        circle.crls()
        circle.responders()
        issued = circle.issue("person", _somebody(), suites.get("ed25519").generate().public_key.spki)
        circle.revoke(issued.serial)
        circle.crls()
        circle.keep_promises()

    use()
    use()
    loaded: list[int] = []
    load = Circle._load
    monkeypatch.setattr(Circle, "_load", lambda self: loaded.append(1) or load(self))
    for _ in range(3):
        use()
    assert loaded == []
    began = time.process_time()
    for _ in range(1000):
        circle._now()
    assert time.process_time() - began < 10
    (tmp_path / "pki" / "ed25519").rename(tmp_path / "away")
    with pytest.raises(KeyNotFound):
        _ = circle.chain
    (tmp_path / "away").rename(tmp_path / "pki" / "ed25519")
    assert circle.chain
    circles.close()


def _somebody() -> Any:
    from certs.certificate import Subject

    return Subject("x", country="DE")


def test_a_circle_that_is_none_is_not_rolled_over(own: User) -> None:
    data = str(own.context.settings.data)
    for name in ("sm2", "..", "dsa", "x25519"):
        command = [sys.executable, "-m", "api.cli", "circle", "rollover", name, "--data", data]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, done.stderr.splitlines()[0]) == (2, f"sealroad: there is no circle of {name}")
