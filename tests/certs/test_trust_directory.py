"""A directory of trusted lists: pins, lists of lists, numbers that never go back, and what an update survives."""

from __future__ import annotations

import argparse
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from certs import files
from certs.cli import COMMANDS
from certs.errors import CertsError, MalformedInput, TrustListError
from certs.fetch import FetchError
from certs.path import validate_path
from certs.trust import TrustStore, directory
from certs.trust.directory import accept, load, pin, read_state, update
from tests.certs.trusted_lists import DAY, GRANTED, QC, ListSigner, etsi, list_of_lists, list_signer, pointer, service
from tests.conftest import NOW, circle_of

OPERATOR, ESTONIA, LATVIA = (list_signer(place=number) for number in range(3))
SOURCE, EE, LV = "https://lists.example/lotl.xml", "https://ee.example/", "https://lv.example/"
CIRCLE = circle_of("ecdsa-p256")


def lotl(number: int = 7, *pointers: str, **more: Any) -> bytes:
    given = pointers or (pointer("EE", EE, ESTONIA.certificate), pointer("LV", LV, LATVIA.certificate))
    return OPERATOR.sign(list_of_lists(*given, number=number, **more))


def national(signer: ListSigner, territory: str, number: int | str = 42, **more: Any) -> bytes:
    authority = service(CIRCLE.issuing, QC, GRANTED, NOW - DAY)
    return signer.sign(etsi(authority, territory=territory, number=number, **more))


class Web:
    """Addresses and what is there."""

    def __init__(self, **pages: bytes) -> None:
        self.pages = {SOURCE: lotl(), EE: national(ESTONIA, "EE"), LV: national(LATVIA, "LV")}
        self.asked: list[str] = []

    def __call__(
        self, url: str, /, *, body: bytes | None = None, content_type: str | None = None, accept: str | None = None
    ) -> bytes:
        self.asked.append(url)
        if url not in self.pages:
            raise FetchError("nobody is there")
        return self.pages[url]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory where the operator's certificate is pinned."""
    pin(tmp_path / "lists", {OPERATOR.fingerprint}, source=SOURCE)
    return tmp_path / "lists"


def said(outcomes: list[directory.Outcome]) -> dict[str, str]:
    return {item.territory: item.status for item in outcomes}


def file_of(place: Path, territory: str) -> Path:
    (found,) = place.glob(f"{territory}-*.xml")
    return found


def numbers(place: Path, now: datetime = NOW) -> dict[str, int | None]:
    return {made.name: made.sequence for made in load(place, now)[0]}


def test_an_update_verifies_the_list_of_lists_once_however_many_lists_it_leads_to(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    real = directory.read_etsi
    monkeypatch.setattr(directory, "read_etsi", lambda data, **more: read.append(data) or real(data, **more))
    web = Web()
    assert said(update(place, web, NOW)) == {"EU": "accepted", "EE": "accepted", "LV": "accepted"}
    assert read.count(web.pages[SOURCE]) == 2  # as it came, and as it lies in the directory


def test_an_update_takes_the_lists_that_the_list_of_lists_names(place: Path) -> None:
    web = Web()
    assert said(update(place, web, NOW)) == {"EU": "accepted", "EE": "accepted", "LV": "accepted"}
    assert web.asked == [SOURCE, EE, LV]
    assert numbers(place) == {"EU": 7, "EE": 42, "LV": 42}
    assert [path.name.split("-")[:-1] for path in sorted(place.glob("*.xml"))] == [
        ["EE", "42"],
        ["EU", "7"],
        ["LV", "42"],
    ]
    store = TrustStore.load([place], now=NOW).with_((), CIRCLE.crls)
    assert store.anchors == (CIRCLE.issuing,)
    assert {entry.origin for entry in store.entries} == {"trusted list of EE no. 42", "trusted list of LV no. 42"}
    assert validate_path(CIRCLE.person.certificate, (), store, NOW).passed
    assert said(update(place, web, NOW)) == {"EU": "unchanged", "EE": "unchanged", "LV": "unchanged"}


def test_files_by_hand_do_as_well_in_any_order(place: Path) -> None:
    given = [national(LATVIA, "LV"), national(ESTONIA, "EE"), lotl()]
    assert said(accept(place, given, NOW)) == {"EU": "accepted", "EE": "accepted", "LV": "accepted"}
    assert said(accept(place, [national(ESTONIA, "EE", 43)], NOW)) == {"EE": "accepted"}
    assert file_of(place, "EE").name.startswith("EE-43-")
    assert numbers(place)["EE"] == 43


def test_a_pin_for_the_signer_of_one_list_does_without_a_list_of_lists(tmp_path: Path) -> None:
    pin(tmp_path / "ee", {ESTONIA.fingerprint})
    assert said(accept(tmp_path / "ee", [national(ESTONIA, "EE"), national(LATVIA, "LV")], NOW)) == {
        "EE": "accepted",
        "LV": "refused",
    }
    assert TrustStore.load([tmp_path / "ee"], now=NOW).anchors == (CIRCLE.issuing,)
    with pytest.raises(TrustListError, match="no address"):
        update(tmp_path / "ee", Web(), NOW)


def test_who_may_sign_one_list_may_not_sign_another(place: Path) -> None:
    web = Web()
    web.pages[LV] = national(ESTONIA, "LV")
    outcomes = update(place, web, NOW)
    assert said(outcomes) == {"EU": "accepted", "EE": "accepted", "LV": "refused"}
    assert "may sign lists of EE, not of LV" in outcomes[-1].detail
    # nor a list of lists, nor one that leads on
    assert said(
        accept(place, [ESTONIA.sign(list_of_lists(pointer("LV", LV, ESTONIA.certificate), number=8))], NOW)
    ) == {"EU": "refused"}
    leading = ESTONIA.sign(list_of_lists(pointer("LV", LV, ESTONIA.certificate), territory="EE", number=43))
    assert said(accept(place, [leading], NOW)) == {"EE": "accepted"}
    assert said(accept(place, [national(ESTONIA, "LV")], NOW)) == {"LV": "refused"}
    assert numbers(place) == {"EU": 7, "EE": 43}


def test_numbers_never_go_back(place: Path) -> None:
    web = Web()
    update(place, web, NOW)
    web.pages[EE] = national(ESTONIA, "EE", 41)
    assert said(update(place, web, NOW))["EE"] == "refused"
    web.pages[EE] = national(ESTONIA, "EE", 42, more="<More/>")
    outcomes = update(place, web, NOW)
    assert "two different lists" in outcomes[1].detail
    web.pages[SOURCE] = lotl(6)
    with pytest.raises(TrustListError, match="older than"):
        update(place, web, NOW)
    assert numbers(place) == {"EU": 7, "EE": 42, "LV": 42}
    # the same list signed anew is no other list
    web.pages[EE] = national(ESTONIA, "EE", 42)
    assert said(accept(place, [web.pages[EE]], NOW)) == {"EE": "accepted"}
    assert said(accept(place, [web.pages[EE]], NOW)) == {"EE": "unchanged"}
    # a new pin does not make anybody forget
    pin(place, {OPERATOR.fingerprint, LATVIA.fingerprint})
    assert read_state(place).source == SOURCE
    assert said(accept(place, [national(LATVIA, "EE", 41)], NOW)) == {"EE": "refused"}
    for wrong in ("", "0", "-1", "9" * 10, "x"):
        assert said(accept(place, [national(ESTONIA, "EE", wrong)], NOW)) == {"EE": "refused"}


def test_a_list_of_lists_that_drops_a_signer_drops_his_list(place: Path) -> None:
    web = Web()
    update(place, web, NOW)
    web.pages[SOURCE] = lotl(8, pointer("EE", EE, ESTONIA.certificate), pointer("LV", LV, ESTONIA.certificate))
    assert said(update(place, web, NOW)) == {"EU": "accepted", "EE": "unchanged", "LV": "refused"}
    lists, skipped = load(place, NOW)
    assert [made.name for made in lists] == ["EE", "EU"] or [made.name for made in lists] == ["EU", "EE"]
    assert len(skipped) == 1
    assert file_of(place, "LV").name in skipped[0]
    assert "may not sign" in skipped[0]
    assert TrustStore.load([place], now=NOW).skipped == tuple(skipped)


def test_what_cannot_be_fetched_stays_as_it_was(place: Path) -> None:
    web = Web()
    update(place, web, NOW)
    del web.pages[LV]
    web.pages[SOURCE] = lotl(8)
    assert said(update(place, web, NOW)) == {"EU": "accepted", "EE": "unchanged", "LV": "not fetched"}
    assert numbers(place) == {"EU": 8, "EE": 42, "LV": 42}
    del web.pages[SOURCE]
    with pytest.raises(FetchError):
        update(place, web, NOW)
    assert numbers(place) == {"EU": 8, "EE": 42, "LV": 42}


def test_several_addresses_of_one_territory_are_tried(place: Path) -> None:
    web = Web()
    two = [pointer("EE", url, ESTONIA.certificate) for url in ("https://gone.example/", EE, "https://unasked.example/")]
    web.pages[SOURCE] = lotl(7, *two, pointer("LV", LV, LATVIA.certificate))
    assert said(update(place, web, NOW, territories=["EE"])) == {"EU": "accepted", "EE": "accepted"}
    assert web.asked == [SOURCE, "https://gone.example/", EE]


def test_lists_out_of_date_are_not_used(place: Path) -> None:
    web = Web()
    web.pages[EE] = national(ESTONIA, "EE", next_update=NOW + 10 * DAY)
    web.pages[LV] = national(LATVIA, "LV", next_update=None)  # closed: says of no next one (5.3.15)
    update(place, web, NOW)
    assert numbers(place, NOW + 10 * DAY) == {"EU": 7, "EE": 42, "LV": 42}
    assert numbers(place, NOW + 11 * DAY) == {"EU": 7, "LV": 42}
    assert "to be replaced" in load(place, NOW + 11 * DAY)[1][0]
    assert said(accept(place, [national(ESTONIA, "EE", 43, next_update=NOW - DAY / 2)], NOW)) == {"EE": "refused"}
    assert said(accept(place, [national(ESTONIA, "EE", 43, issued=NOW + DAY)], NOW)) == {"EE": "refused"}
    with pytest.raises(TrustListError, match="the list of EU was to be replaced"):
        TrustStore.load([place], now=NOW + 91 * DAY)


def test_other_signers_of_the_list_of_lists_have_to_be_pinned(place: Path) -> None:
    web = Web()
    update(place, web, NOW)
    new = list_signer(place=3)
    web.pages[SOURCE] = new.sign(
        list_of_lists(pointer("EE", EE, ESTONIA.certificate), pointer("LV", LV, LATVIA.certificate), number=8)
    )
    with pytest.raises(TrustListError, match="may not sign"):
        update(place, web, NOW)
    pin(place, {new.fingerprint})
    with pytest.raises(TrustListError, match="no list that a pinned signer signed"):
        load(place, NOW)
    assert said(update(place, web, NOW)) == {"EU": "accepted", "EE": "unchanged", "LV": "unchanged"}
    assert numbers(place)["EU"] == 8


# Interrupted, altered -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("failing", ["EE-43-", "trust.json"])
def test_an_interrupted_update_leaves_the_list_before(
    place: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    update(place, Web(), NOW)
    real = files.write

    def write(path: Path, data: bytes) -> None:
        if path.name.startswith(failing):
            raise OSError(28, "No space left on device")
        real(path, data)

    monkeypatch.setattr(directory.files, "write", write)
    with pytest.raises(TrustListError, match="cannot be written"):
        accept(place, [national(ESTONIA, "EE", 43)], NOW)
    assert numbers(place) == {"EU": 7, "EE": 42, "LV": 42}
    monkeypatch.undo()
    assert said(accept(place, [national(ESTONIA, "EE", 43)], NOW)) == {"EE": "accepted"}
    assert numbers(place)["EE"] == 43


def test_altered_and_missing_files_are_not_used(place: Path) -> None:
    web = Web()
    update(place, web, NOW)
    file_of(place, "EE").write_bytes(national(ESTONIA, "EE", 41))  # signed, but an older one
    file_of(place, "LV").unlink()
    lists, skipped = load(place, NOW)
    assert [made.name for made in lists] == ["EU"]
    assert len(skipped) == 2
    assert said(update(place, web, NOW)) == {"EU": "unchanged", "EE": "accepted", "LV": "accepted"}
    assert numbers(place) == {"EU": 7, "EE": 42, "LV": 42}
    file_of(place, "EU").write_bytes(lotl(6))
    with pytest.raises(TrustListError, match="not the file that was accepted"):
        TrustStore.load([place], now=NOW)
    assert said(update(place, web, NOW))["EU"] == "accepted"


HEAD = '{"format": "sealroad-list-directory/1", "signers": [], "source": "", "lists": '


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": "other"}',
        '{"format": "sealroad-list-directory/1", "signers": 1, "source": "", "lists": {}}',
        '{"format": "sealroad-list-directory/1", "signers": ["x"], "source": "", "lists": {}}',
        HEAD + "[]}",
        HEAD + '{"../x": {"sequence": 1, "sha256": "", "signed_sha256": "", "signer": ""}}}',
        HEAD + '{"EE": {"sequence": 1, "sha256": "/../x", "signed_sha256": "", "signer": ""}}}',
        HEAD + '{"EE": {"sequence": "x"}}}',
        "[" * 100_000,
    ],
)
def test_a_state_that_cannot_be_read_is_said(place: Path, text: str) -> None:
    (place / "trust.json").write_text(text)
    with pytest.raises(MalformedInput):
        TrustStore.load([place])


def test_without_a_pin_a_directory_has_no_lists(tmp_path: Path) -> None:
    (tmp_path / "EE-42.xml").write_bytes(national(ESTONIA, "EE"))
    assert TrustStore.load([tmp_path]).anchors == ()
    with pytest.raises(TrustListError, match="no directory of lists"):
        accept(tmp_path, [], NOW)
    for wrong in ((), ("x",), ("A" * 64,)):
        with pytest.raises(TrustListError):
            pin(tmp_path, wrong)
    pin(tmp_path, {OPERATOR.fingerprint})
    assert load(tmp_path, NOW) == ([], [])  # nothing was accepted yet
    for what in (b"", b"<a/>", b"{}", b"\x30\x00"):
        (outcome,) = accept(tmp_path, [what], NOW)
        assert (outcome.territory, outcome.status) == ("?", "refused")


# The command ----------------------------------------------------------------------------------------------------------
def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    COMMANDS["trust"].configure(parser)
    return COMMANDS["trust"].run(parser.parse_args(list(words)))


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("certs.commands.trust.SystemClock", lambda: type("C", (), {"now": staticmethod(lambda: NOW)})())
    web = Web()
    monkeypatch.setattr("certs.commands.trust.HTTPFetcher", lambda **_: web)
    Path("operator.pem").write_text(OPERATOR.certificate.pem)
    Path("ee.xml").write_bytes(national(ESTONIA, "EE"))
    with pytest.raises(TrustListError, match="pin the certificate"):
        call("pin", "lists")
    assert call("pin", "lists", "--signer", "operator.pem", "--source", SOURCE) == 0
    assert call("update", "lists", "--only", "EE") == 0
    out = capsys.readouterr().out
    assert re.search(r"EE no\. 42: accepted; 1 services, 0 other lists; replaces it on 2027-02-19", out)
    assert call("accept", "lists", "ee.xml") == 0
    del web.pages[LV]
    assert call("update", "lists") == 1
    assert "LV: not fetched; nobody is there" in capsys.readouterr().out
    assert call("show", "lists") == 0
    assert "EU no. 7: 0 services; to be replaced on 2027-02-19, in 90 days" in capsys.readouterr().out
    assert call("show", "lists", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert [made["list"] for made in shown["lists"]] == ["EU", "EE"]
    assert shown["lists"][0]["lists"][0]["signers"] == [ESTONIA.fingerprint]

    with pytest.raises(CertsError, match="say who may sign it"):
        call("verify", "ee.xml")
    assert call("verify", "ee.xml", "--signer", ESTONIA.fingerprint, "--not-before", "42") == 0
    assert "EE no. 42: signed by C=DE, CN=Signer 1; to be replaced" in capsys.readouterr().out
    with pytest.raises(TrustListError, match="older than"):
        call("verify", "ee.xml", "--signer", ESTONIA.fingerprint, "--not-before", "43")
    with pytest.raises(TrustListError, match="may not sign"):
        call("verify", "ee.xml", "--signer", "operator.pem")
    Path("old.xml").write_bytes(national(ESTONIA, "EE", next_update=NOW - DAY / 2))
    with pytest.raises(TrustListError, match="to be replaced"):
        call("verify", "old.xml", "--signer", ESTONIA.fingerprint)
    assert call("show", "ee.xml", "--signer", ESTONIA.fingerprint) == 0
    assert "signed by:   C=DE, CN=Signer 1 (ecdsa-p256)" in capsys.readouterr().out
    Path("lotl.xml").write_bytes(lotl())
    assert call("show", "lotl.xml") == 0
    assert f"EE: {EE}, 1 signers" in capsys.readouterr().out
