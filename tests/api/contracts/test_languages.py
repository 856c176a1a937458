"""One document in several languages: who is shown which, who signs what, and the manifest of the set."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from certs import suites
from tests.api.conftest import User, at_home, circle_today, held
from tests.api.contracts.talk import SUITES, completed, consent, good, refused, verdict


def versions(user: User, *languages: str) -> list[dict[str, Any]]:
    """Upload one document per language; the first is the original."""
    ids = [user.upload(name=f"{language}.pdf")["id"] for language in languages]
    entries: list[dict[str, Any]] = [
        {"id": name, "language": language, "version_of": ids[0]} for name, language in zip(ids, languages, strict=True)
    ]
    del entries[0]["version_of"]
    return entries


@pytest.mark.parametrize("suite", SUITES)
def test_each_party_is_shown_its_language_and_signs_every_version(user: User, suite: str) -> None:
    circle = circle_today(suite)
    zh, ru = entries = versions(user, "zh", "ru")
    contract = user.draft([held(suite, locale="ru"), at_home(circle, locale="zh", order=2)], entries)
    contract = user.send(contract)
    russian, chinese = contract["parties"]
    assert (russian["shown"], chinese["shown"]) == ([ru["id"]], [zh["id"]])
    assert [row["version_of"] for row in contract["documents"]] == [None, zh["id"]]
    base = f"/v1/contracts/{contract['id']}/parties"
    other = {"consent": consent(user, contract, {**russian, "shown": [zh["id"]]})}
    refused(user.post(f"{base}/{russian['id']}/sign", json=other), 422, "consent-refused")
    response = user.post(f"{base}/{russian['id']}/sign", json={"consent": consent(user, contract, russian)})
    assert user.wait_for_job(response.headers["location"])["state"] == "succeeded"
    for _ in contract["documents"]:
        user.sign_at_home(contract, chinese, circle.key)  # its consent names both, which it may
    contract = completed(user, contract)
    assert [row["revision"] for row in contract["documents"]] == [2, 2]
    for report in verdict(user, contract):
        assert [item["layers"]["cryptographic"]["result"] for item in report["signatures"]] == ["passed", "passed"]


def test_the_manifest_of_the_set_is_in_the_evidence_and_its_digests_in_the_trail(user: User) -> None:
    entries = versions(user, "zh", "ru")
    draft = user.draft([held("ecdsa-p256")], entries, prevailing_language="ru")
    contract = user.send(draft)
    evidence = good(user.get(f"/v1/contracts/{contract['id']}/evidence"))
    manifest = evidence["manifest"]
    assert (manifest["schema"], manifest["prevailing_language"]) == ("sealroad.documents/1", "ru")
    uploads = [good(user.get(f"/v1/documents/{entry['id']}")) for entry in entries]
    for row, upload, entry in zip(manifest["documents"], uploads, entries, strict=True):
        assert {name: row[name] for name in ("id", "name", "size", "pages", "sha256", "sm3", "streebog256")} == {
            name: upload[name] for name in ("id", "name", "size", "pages", "sha256", "sm3", "streebog256")
        }
        assert (row["language"], row["version_of"]) == (entry["language"], entry.get("version_of"))
    octets = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    expected = {"sha256": hashlib.sha256(octets).hexdigest()}
    for name in ("sm3", "streebog256"):
        digest = suites.new_digest(name)
        digest.update(octets)
        expected[name] = digest.digest().hex()
    assert evidence["manifest_digests"] == expected
    sent = next(event for event in evidence["events"] if event["type"] == "contract.sent")
    assert sent["body"]["data"]["manifest"] == expected


@pytest.mark.parametrize(
    ("languages", "prevailing", "locale", "shown"),
    [
        (("zh", "ru"), None, "en", "zh"),  # none in its language and none prevails: the original
        (("zh", "ru"), "ru", "en", "ru"),
        (("zh-Hant", "ru"), "ru", "zh", "zh-Hant"),  # a form of its language is its language
        (("zhx", "ru"), "ru", "zh", "ru"),
        (("ru", "en", "zh"), "zh", "en", "en"),
    ],
)
def test_which_version_is_shown(
    user: User, languages: tuple[str, ...], prevailing: str | None, locale: str, shown: str
) -> None:
    entries = versions(user, *languages)
    draft = user.draft([held("ecdsa-p256", locale=locale)], entries, prevailing_language=prevailing)
    wanted = next(entry["id"] for entry in entries if entry["language"] == shown)
    assert draft["parties"][0]["shown"] == [wanted]


def test_documents_without_a_language_are_shown_to_everybody(user: User) -> None:
    zh, ru = versions(user, "zh", "ru")
    first, last = (user.upload()["id"] for _ in range(2))
    draft = user.draft([held("ecdsa-p256", locale="ru")], [first, zh, ru, last])
    assert draft["parties"][0]["shown"] == [first, ru["id"], last]
    assert [row["language"] for row in draft["documents"]] == [None, "zh", "ru", None]


def test_sets_that_contradict_themselves_are_refused(user: User) -> None:
    a, b, c = (user.upload()["id"] for _ in range(3))
    zh, nobody = {"id": a, "language": "zh"}, "doc_" + "0" * 32
    cases: list[tuple[list[Any], str | None, str, str]] = [
        ([{"id": a}, {"id": b, "language": "ru", "version_of": a}], None, "/documents/0", "no-language"),
        ([zh, {"id": b, "version_of": a}], None, "/documents/1", "no-language"),
        ([zh, {"id": b, "language": "zh", "version_of": a}], None, "/documents/1/language", "repeated"),
        ([{"id": b, "language": "zh", "version_of": a}, zh], None, "/documents/0/language", "repeated"),
        ([zh, {"id": b, "language": "ru", "version_of": nobody}], None, "/documents/1/version_of", "not-found"),
        ([{"id": b, "language": "ru", "version_of": b}], None, "/documents/0/version_of", "not-found"),
        (
            [zh, {"id": b, "language": "ru", "version_of": a}, {"id": c, "language": "en", "version_of": b}],
            *(None, "/documents/2/version_of", "version-of-version"),
        ),
        ([zh, {"id": b, "language": "ru", "version_of": a}], "en", "/prevailing_language", "no-such-version"),
        ([a, b], "en", "/prevailing_language", "no-such-version"),
        ([zh, a], None, "/documents/1", "repeated"),
        (
            [zh, {"id": b, "language": "ru", "version_of": a}, {"id": c, "language": "en"}],
            *("en", "/prevailing_language", "no-such-version"),
        ),
    ]
    for documents, prevailing, pointer, code in cases:
        body = {"title": "x", "documents": documents, "prevailing_language": prevailing}
        problem = refused(user.post("/v1/contracts", json=body), 422, "validation-failed")
        assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == (pointer, code)
    for wrong in ({"id": a, "language": "Chinese"}, {"id": a, "languages": "zh"}, {"language": "zh"}, 7, None, "x"):
        body = {"title": "x", "documents": [wrong]}
        problem = refused(user.post("/v1/contracts", json=body), 422, "validation-failed")
        assert problem["errors"][0]["pointer"].startswith("/documents/0")
    assert user.get("/v1/contracts").json()["data"] == []


def test_the_set_of_a_draft_is_checked_as_a_whole_when_a_part_changes(user: User) -> None:
    draft = user.draft([], versions(user, "zh", "ru"), prevailing_language="ru")
    path = f"/v1/contracts/{draft['id']}"
    headers = {"if-match": '"v1"'}
    for change in ({"prevailing_language": "en"}, {"documents": versions(user, "zh", "en")}):
        refused(user.request("PATCH", path, json=change, headers=headers), 422, "validation-failed")
    assert user.contract(draft) == draft
    changed = good(user.request("PATCH", path, json={"prevailing_language": "zh"}, headers=headers))
    assert changed["prevailing_language"] == "zh"
    assert changed["documents"] == draft["documents"]
