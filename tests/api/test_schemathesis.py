"""Every operation of the OpenAPI, called by schemathesis with what the document allows and with what it does not.

Calls that the document allows name objects that exist, in the version that they are in, so that they get past the door.
No answer is a server error, and every answer is one that the document promises: status, media type, headers, schema;
what the document forbids is refused. (That nothing answers without a credential stands in tests/api/test_isolation.py.)

Routes are read from the running service, so a new one is called too. The draws are the same on every run.
"""

from __future__ import annotations

import os
import re
import warnings
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from tests.api.conftest import User
from tests.api.foreign import Objects
from tests.api.test_isolation import belongings

ABSENT = "make test-all installs schemathesis"
schemathesis = pytest.importorskip("schemathesis", reason=ABSENT)
config = pytest.importorskip("schemathesis.config", reason=ABSENT)
failures_of = pytest.importorskip("schemathesis.core.failures", reason=ABSENT)

pytestmark = [pytest.mark.interop, pytest.mark.slow]

EXAMPLES = int(os.environ.get("SEALROAD_EXAMPLES", "1"))
"""Of each kind for an operation. The first is the simplest one; a look by hand takes more."""
CONFIG = {
    "checks": {
        # a schema cannot say that a certificate is one, or that two fields belong together
        "positive_data_acceptance": {"enabled": False},
        # a version that the object is not in is a failed precondition, whatever it looks like
        "negative_data_rejection": {
            "expected-statuses": ["400", "401", "403", "404", "409", "412", "413", "415", "422", "428"]
        },
    },
}
ENDLESS = {"follow_job"}
"""Streams: tests/api/test_jobs.py reads them."""
OCTETS = ("application/pkcs10", "application/ocsp-request", "application/timestamp-query")
IDS = re.compile(r"^([a-z]+)_[0-9a-f]{32}$")

for media_type in OCTETS:
    schemathesis.openapi.media_type(media_type, st.binary(max_size=100))


def with_ids(value: Any, ids: dict[str, str]) -> Any:
    """Return a body that names objects which exist, wherever it names objects."""
    if isinstance(value, dict):
        return {key: with_ids(each, ids) for key, each in value.items()}
    if isinstance(value, list):
        return [with_ids(each, ids) for each in value]
    if isinstance(value, str) and (found := IDS.match(value)) is not None:
        return ids.get(found[1], value)
    return value


def placed(user: User, case: Any, objects: Objects) -> None:
    """Let a valid call be about objects of the user's, as they are now."""
    if case.body is not None and not isinstance(case.body, bytes):
        case.body = with_ids(case.body, objects.by_prefix)
    if "if-match" in (case.headers or {}):
        at = case.formatted_path
        parents = (at.rsplit("/", cut)[0] for cut in range(4))
        tags = (user.get(parent).headers.get("etag") for parent in parents if parent.count("/") > 2)
        case.headers["if-match"] = next((tag for tag in tags if tag), '"v1"')


def failures(user: User, operation: Any, mode: Any, objects: Objects) -> list[str]:
    """Return what schemathesis finds wrong with an operation."""
    found: list[str] = []
    good = mode is schemathesis.GenerationMode.POSITIVE
    names = {parameter.name for parameter in operation.path_parameters}
    known = {name: objects.ids[name] for name in names & objects.ids.keys()}
    options = {"path_parameters": known} if good and names and known.keys() == names else {}

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, **options))
    def run(case: Any) -> None:
        if good:
            placed(user, case, objects)
        try:
            case.call_and_validate(headers={"authorization": f"Bearer {user.token}"}, timeout=30)
        except failures_of.FailureGroup as group:  # one finding must not hide the others
            found.append(f"{operation.label}: {group}")

    try:
        run()
    except Unsatisfiable:
        pass  # nothing of this operation can be wrong
    return found


def test_every_answer_is_as_the_openapi_says(user: User) -> None:
    objects = Objects(belongings(user))
    document = user.get("/openapi.json").json()
    for operations in document["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)  # else a call without a credential would count as one that is to be refused
    found, called = [], set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = schemathesis.openapi.from_dict(document, config=config.SchemathesisConfig.from_dict(CONFIG))
        schema.config.update(base_url=str(user.http.base_url))
        for result in schema.get_all_operations():
            operation = result.ok()
            name = operation.definition.raw["operationId"]
            if name not in ENDLESS:
                called.add(name)
                for mode in schemathesis.GenerationMode:
                    found += failures(user, operation, mode, objects)
    assert found == [], "\n\n".join(found)
    promised = {each["operationId"] for verbs in document["paths"].values() for each in verbs.values()}
    assert called == promised - ENDLESS
