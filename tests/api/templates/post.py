"""What the tests of templates and bulk sends say to the service."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import Any

import pytest

from tests.api.conftest import PROOF, User
from tests.conftest import SIGNING

QUICK = ("sm2", "gost2012-256")
SUITES = [suite if suite in QUICK else pytest.param(suite, marks=pytest.mark.slow) for suite in SIGNING]
"""Every suite; the national ones always, the others where all tests run."""

VOUCHED = {**PROOF, "method": "bulk-voucher", "operator": "Kadrovik"}
"""How an employer identifies whom it names in a list that it signed."""


def slot(name: str = "buyer", /, **more: Any) -> dict[str, Any]:
    return {"slot": name, **more}


def template(user: User, *slots: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"title": "Supply contract", "documents": [user.upload()["id"]], "parties": list(slots) or [slot()], **more}
    response = user.post("/v1/templates", json=body)
    assert response.status_code == 201, response.text
    return dict(response.json())


def filled(user: User, template: dict[str, Any], *values: dict[str, Any], **more: Any) -> Any:
    """Make a contract of a template."""
    return user.post(f"/v1/templates/{template['id']}/contracts", json={"parties": list(values), **more})


def person(name: str = "Иван Петров", suite: str = "ecdsa-p256", /, **more: Any) -> dict[str, Any]:
    """Return what fills a slot with somebody whose key the service makes."""
    return slot(**{"name": name, "suite": suite, "identity_proof": PROOF, **more})


def table(*rows: dict[str, str], delimiter: str = ",", bom: bool = False) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return ("\ufeff" if bom else "").encode() + out.getvalue().encode()


def bulk(user: User, template: dict[str, Any], data: bytes, *common: dict[str, Any], **more: Any) -> Any:
    """Hand in a table."""
    form = {"template": template["id"], **more}
    if common:
        form["parties"] = json.dumps(common)
    return user.post("/v1/bulk-sends", data=form, files={"file": ("people.csv", data, "text/csv")}, timeout=600)


def taken(response: Any) -> dict[str, Any]:
    assert response.status_code == 202, response.text
    return dict(response.json())


def ended(user: User, sent: dict[str, Any]) -> dict[str, Any]:
    """Wait for the end of a bulk send."""
    limit = time.monotonic() + 300
    while (found := dict(user.get(f"/v1/bulk-sends/{sent['id']}").json()))["state"] == "running":
        assert time.monotonic() < limit, found
        time.sleep(0.05)
    user.wait_for_job(f"/v1/jobs/{sent['job']}")
    return found


def results(user: User, sent: dict[str, Any]) -> list[dict[str, Any]]:
    response = user.get(f"/v1/bulk-sends/{sent['id']}/results")
    assert response.headers["content-type"].startswith("application/x-ndjson"), response.text
    return [json.loads(line) for line in response.text.splitlines()]


def told(response: Any) -> dict[str, str]:
    """Return what was found, by pointer."""
    assert (response.status_code, response.json()["code"]) == (422, "validation-failed"), response.text
    return {entry["pointer"]: entry["code"] for entry in response.json()["errors"]}
