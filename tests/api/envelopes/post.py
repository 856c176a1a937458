"""What the tests of envelopes share: parties whose keys the service holds, and people elsewhere with their own."""

from __future__ import annotations

from functools import cache
from typing import Any

from certs.certificate import Certificate
from certs.suites.base import PrivateKey
from tests.api.conftest import Circle, User, circle_today, held
from tests.api.seals.office import good
from tests.certs.post import CERTIFIED_BY
from tests.conftest import keys_of, subjects_of


def circle_there(suite: str) -> Circle:
    """Return the circle elsewhere that certifies keys of a suite."""
    return circle_today(CERTIFIED_BY.get(suite, suite))


@cache
def mailbox_today(suite: str) -> tuple[PrivateKey, Certificate]:
    """Return the key and certificate for encryption of somebody in a circle that is not the service's."""
    key = keys_of(suite)[2]
    return key, circle_there(suite).ca.issue("encryption", subjects_of(suite)[0], key.public_key.spki)


def elsewhere(suite: str) -> dict[str, Any]:
    """Return a recipient by certificate alone."""
    return {"certificate": mailbox_today(suite)[1].pem + "".join(each.pem for each in circle_there(suite).ca.chain)}


def anchors(*suites: str) -> list[str]:
    """Return the roots of circles elsewhere, PEM."""
    return [circle_there(suite).ca.root.pem for suite in suites]


def asked(user: User, body: dict[str, Any], status: int = 202, **options: Any) -> dict[str, Any]:
    return good(user.post("/v1/envelopes", json=body, **options), status)


def sealed(user: User, body: dict[str, Any]) -> dict[str, Any]:
    """Ask for an envelope, wait for the job, and return the envelope."""
    job = user.wait_for_job(f"/v1/jobs/{asked(user, body)['id']}")
    assert job["state"] == "succeeded", job
    return good(user.get(f"/v1/envelopes/{job['result']['envelope']}"))


def from_first_party(contract: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return what asks for an envelope of a contract, for all its parties, from its first one."""
    return {"contract": contract["id"], "senders": [{"party": contract["parties"][0]["id"]}], **more}


def between(user: User, *suites: str) -> dict[str, Any]:
    """Return a contract that is sent to parties whose keys the service holds."""
    return user.sent(*(held(suite, name=f"Party of {suite} 𠮷") for suite in suites))


def open_as(user: User, envelope: dict[str, Any], recipient: dict[str, Any]) -> dict[str, Any]:
    """Open an envelope with a recipient's held key and return the job."""
    answer = good(user.post(f"/v1/envelopes/{envelope['id']}/open", json={"recipient": recipient["id"]}), 202)
    return user.wait_for_job(f"/v1/jobs/{answer['id']}")


def events(user: User, envelope: dict[str, Any], what: str = "events") -> list[dict[str, Any]]:
    return list(good(user.get(f"/v1/envelopes/{envelope['id']}/{what}"))["data"])
