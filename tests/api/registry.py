"""Organisations and people on record, and how they were identified."""

from __future__ import annotations

from typing import Any

from certs.subject import Subject
from tests.api.conftest import PROOF, User


def organisation(user: User, **more: Any) -> dict[str, Any]:
    body = {
        "name": "江海贸易有限公司",
        "names": {"ru": "ООО «Цзянхай»", "en": "Jianghai Trading Co., Ltd."},
        "country": "CN",
        "identifiers": [{"scheme": "CN-USCC", "value": "91310000MA1FL5RX2W"}],
        "locale": "zh",
        **more,
    }
    return made(user, "/v1/organisations", body)


def person(user: User, **more: Any) -> dict[str, Any]:
    body = {
        "name": "沈𠮷明",
        "names": {"zh": "沈𠮷明", "ru": "Шэнь Цзимин", "en": "Shen Jiming"},
        "country": "CN",
        "identifiers": [{"scheme": "CN-ID", "value": "11010519491231002X"}],
        "email": "shen@example.com",
        "locale": "zh",
        **more,
    }
    return made(user, "/v1/people", body)


def prove(user: User, owner: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Record that an organisation or a person was identified."""
    kind = "people" if owner["id"].startswith("per_") else "organisations"
    return made(user, f"/v1/{kind}/{owner['id']}/identity-proofs", {**PROOF, **more})


def known(user: User, subject: Subject) -> None:
    """Take on record, with proofs, whom a PKCS#10 request names."""
    identifiers = [{"scheme": item.scheme, "value": item.value} for item in subject.identifiers]
    facts = {"country": subject.country, "names": {}}
    if subject.organisation is not None:
        prove(user, organisation(user, name=subject.organisation, identifiers=identifiers, **facts))
    if subject.common_name != subject.organisation:
        names = {"given_name": subject.given_name, "surname": subject.surname}
        prove(user, person(user, name=subject.common_name, identifiers=[], **facts, **names))


def made(user: User, path: str, body: dict[str, Any]) -> dict[str, Any]:
    response = user.post(path, json=body)
    assert response.status_code == 201, response.text
    return dict(response.json())
