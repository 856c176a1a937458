"""What `send` finds out beforehand: names, keys, time-stamps, deadlines."""

from __future__ import annotations

from typing import Any

import pytest

from api.seals import applying
from certs import suites
from certs.errors import TimeStampError
from certs.tsa import TimeStampAuthority
from tests.api.conftest import Service, User, held
from tests.api.contracts.talk import SUITES, delegate, good, in_days, refused
from tests.api.seals.office import Office
from tests.api.test_certificates import issued


def send(user: User, draft: dict[str, Any]) -> Any:
    return user.post(f"/v1/contracts/{draft['id']}/send", headers={"if-match": f'"v{draft["version"]}"'})


@pytest.mark.parametrize("field", ["name", "organisation", "reason", "location"])
def test_a_name_that_no_font_can_draw_is_found_at_send(user: User, field: str) -> None:
    draft = user.draft([held("ecdsa-p256"), held("ecdsa-p256", order=2, **{field: "Muster 𓀀"})])
    problem = refused(send(user, draft), 422, "validation-failed")
    assert [(item["pointer"], item["code"]) for item in problem["errors"]] == [(f"/parties/1/{field}", "no-glyph")]
    assert "U+13000" in problem["errors"][0]["detail"]
    assert user.contract(draft) == draft


@pytest.mark.parametrize("role", ["approver", "viewer", "cc"])
def test_so_is_the_name_of_somebody_who_does_not_sign(user: User, role: str) -> None:
    draft = user.draft([held("ecdsa-p256"), {"name": "𓀀", "role": role, "order": 2}])
    refused(send(user, draft), 422, "validation-failed")


def test_rare_hanzi_and_cyrillic_are_sent(user: User) -> None:
    user.sent(held("ecdsa-p256", name="𠮷野 张伟 Ёлкина Ґанок", organisation="江海贸易有限公司 · ООО «Ёж»"))


def test_no_time_stamp_no_sending(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried before anything is issued, in the cryptography of each party, and only where it is wanted."""
    asked: list[str] = []

    def fail(self: TimeStampAuthority, name: str, digest: bytes) -> bytes:
        asked.append(name)
        raise TimeStampError("the clock is not to be trusted", reason="time")

    draft, plain = user.draft([held("ecdsa-p256")]), user.draft([held("ecdsa-p256")], level="B-B")
    with monkeypatch.context() as patch:
        patch.setattr(TimeStampAuthority, "stamp", fail)
        response = send(user, draft)
        refused(response, 502, "time-stamp-error")
        assert response.headers["retry-after"] == "30"
        assert (len(asked), user.contract(draft)) == (1, draft)
        assert send(user, plain).status_code == 200
    assert send(user, draft).status_code == 200


def test_a_deadline_behind_the_end_of_what_the_service_issues_is_refused(user: User) -> None:
    draft = user.draft([held("ecdsa-p256")], expires_at=in_days(400))
    problem = refused(send(user, draft), 422, "validation-failed")
    assert problem["errors"][0]["code"] == "expires-too-early"
    assert send(user, user.draft([held("ecdsa-p256")], expires_at=in_days(390))).status_code == 200


@pytest.mark.parametrize("suite", SUITES)
def test_a_certificate_of_a_circle_here_that_is_revoked_or_on_hold_is_found_at_send(user: User, suite: str) -> None:
    certificate = issued(user, suite)
    path = f"/v1/certificates/{certificate['id']}"
    draft = user.draft([{"name": "Jörg Müller", "organisation": "Müller", "certificate": certificate["chain"]}])
    assert user.post(f"{path}/hold").status_code == 200
    problem = refused(send(user, draft), 422, "validation-failed")
    assert [(item["pointer"], item["code"]) for item in problem["errors"]] == [("/parties/0/certificate", "revoked")]
    assert user.post(f"{path}/release").status_code == 200
    contract = good(send(user, draft))
    assert user.post(f"{path}/revoke", json={"reason": "keyCompromise"}).status_code == 200
    response = delegate(user, contract, contract["parties"][0], certificate=certificate["chain"])
    assert refused(response, 422, "validation-failed")["errors"][0]["code"] == "revoked"


def test_a_seal_whose_key_is_not_the_one_in_its_certificate_is_found_at_send(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office.of(service)
    seal = office.granted("sm2")
    draft = office.ann.draft([{"name": "王伟", "role": "seal", "seal": seal["id"]}])
    other = suites.get("sm2").generate()
    with monkeypatch.context() as patch:
        patch.setattr(applying, "open_key", lambda *arguments: other)
        problem = refused(send(office.ann, draft), 422, "validation-failed")
    assert problem["errors"][0]["pointer"] == "/parties/0/seal"
    assert send(office.ann, draft).status_code == 200
    assert office.ann.get(f"/v1/seals/{seal['id']}/uses").json()["data"] == []  # looking is no use
