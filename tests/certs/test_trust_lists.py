"""Trust lists of three forms: what they make trusted, for what, from when; and everything that is refused."""

from __future__ import annotations

import argparse
import hashlib
import json
import time
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs.certificate import Certificate
from certs.cli import COMMANDS
from certs.errors import CertsError, MalformedInput, TrustListError
from certs.keys import file as key_file
from certs.path import validate_path
from certs.trust import TrustStore
from certs.trust.entries import TrustEntry, TrustList
from certs.trust.etsi import read_etsi
from certs.trust.load import load_list, parse_list
from certs.trust.russia import read_russian
from certs.trust.signed_list import build_list, read_list
from certs.trust.xml import parse_xml
from tests.certs.forge import forge
from tests.certs.trusted_lists import DAY, GRANTED, QC, QTST, WITHDRAWN, b64, etsi, service, state
from tests.conftest import NOW, Circle, circle_of, keys_of

SIGNING = frozenset({"signing"})


# ETSI ----------------------------------------------------------------------------------------------------------------
def test_an_etsi_list_trusts_a_service_for_its_purpose(circle: Circle) -> None:
    made = read_etsi(
        etsi(
            service(circle.issuing, QC, GRANTED, NOW - DAY),
            service(circle.tsa.certificate, QTST, GRANTED, NOW - DAY),
            service(circle.root, QC, WITHDRAWN, NOW - DAY),
            service(circle.root, "http://uri.etsi.org/TrstSvc/Svctype/Certstatus/OCSP", GRANTED, NOW - DAY),
        )
    )
    assert (made.name, made.sequence, made.issuer, made.signer) == ("EE", 42, "Office", None)
    assert [(entry.certificate, entry.purposes) for entry in made.entries] == [
        (circle.issuing, SIGNING),
        (circle.tsa.certificate, frozenset({"timestamping"})),
    ]
    store = TrustStore(crls=circle.crls).listed(made.entries)
    result = validate_path(circle.person.certificate, (), store, NOW)
    assert result.passed, result.detail
    assert any(check.id == "trust" and "EE no. 42" in check.detail for check in result.checks)
    assert validate_path(circle.tsa.certificate, (), store, NOW, purpose="timestamping").passed
    # the authority vouches for signers, not for time-stamps
    only = TrustStore(crls=circle.crls).listed(made.entries[:1])
    refused = validate_path(circle.tsa.certificate, (), only, NOW, purpose="timestamping")
    assert refused.sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"
    assert "not for timestamping" in refused.detail


def test_the_history_of_a_service_counts() -> None:
    root = circle_of("ecdsa-p256").root
    history = [
        state(QC, "http://uri.etsi.org/TrstSvc/Svcstatus/accredited", NOW - 300 * DAY),
        state(QC, WITHDRAWN, NOW - 200 * DAY),
        state(QC, GRANTED, NOW - 100 * DAY),
    ]
    made = read_etsi(etsi(service(root, QC, WITHDRAWN, NOW - 10 * DAY, *history)))
    times = [(entry.since, entry.until) for entry in made.entries]
    assert times == [(NOW - 100 * DAY, NOW - 10 * DAY), (NOW - 300 * DAY, NOW - 200 * DAY)]
    store = TrustStore().listed(made.entries)
    trusted = {
        days for days in (301, 300, 201, 200, 100, 11, 10, 0) if not store.why_not(root, "signing", NOW - days * DAY)[0]
    }
    assert trusted == {300, 201, 100, 11}


def test_services_for_web_sites_only_are_passed_over() -> None:
    root = circle_of("ecdsa-p256").root
    for uris, count in ((("ForWebSiteAuthentication",), 0), (("ForWebSiteAuthentication", "ForeSeals"), 1), ((), 1)):
        made = read_etsi(etsi(service(root, QC, GRANTED, NOW - DAY, uris=uris)))
        assert len(made.entries) == count


def test_a_broken_service_does_not_hide_the_others() -> None:
    root = circle_of("ecdsa-p256").root
    good = service(root, QC, GRANTED, NOW - DAY)
    broken = good.replace(b64(root)[:40], "!" * 40)
    made = read_etsi(etsi(broken, good.replace("2026", "banana"), good))
    assert len(made.entries) == 1
    assert len(made.notes) == 2


# Russia --------------------------------------------------------------------------------------------------------------
def russian(*centres: tuple[str, str, Certificate]) -> bytes:
    body = "".join(
        f"<УдостоверяющийЦентр><Название>{name}</Название><СтатусАккредитации><Статус>{status}</Статус>"
        "</СтатусАккредитации><ПрограммноАппаратныеКомплексы><ПрограммноАппаратныйКомплекс><КлючиУполномоченныхЛиц>"
        f"<Ключ><Сертификаты><ДанныеСертификата><Отпечаток>00</Отпечаток><Данные>{b64(certificate)}</Данные>"
        "</ДанныеСертификата></Сертификаты></Ключ></КлючиУполномоченныхЛиц></ПрограммноАппаратныйКомплекс>"
        "</ПрограммноАппаратныеКомплексы></УдостоверяющийЦентр>"
        for name, status, certificate in centres
    )
    root = "АккредитованныеУдостоверяющиеЦентры"
    return f"<{root}><Версия>1871</Версия><Дата>2026-11-20T12:00:00Z</Дата>{body}</{root}>".encode()


def test_the_russian_list_trusts_authorities_in_force() -> None:
    circle, other = circle_of("gost2012-256"), circle_of("gost2012-512")
    made = read_russian(
        russian(("ООО «Северный путь»", "Действует", circle.issuing), ("ЗАО «Юг»", "Прекращена", other.issuing))
    )
    assert made.sequence == 1871
    assert [entry.certificate for entry in made.entries] == [circle.issuing]
    assert made.notes == ("ЗАО «Юг»: accreditation is Прекращена",)
    store = TrustStore(crls=circle.crls).listed(made.entries)
    assert validate_path(circle.person.certificate, (), store, NOW).passed
    assert not validate_path(other.person.certificate, (), store, NOW).passed


# XML that wants something else ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a>",
        b"<a></b>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://x/"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b"<a>&unknown;</a>",
        b"<a>" * 65 + b"</a>" * 65,
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        b"<a>\xff</a>",
    ],
)
def test_dangerous_or_broken_xml_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        parse_xml(data)


def test_other_xml_is_no_list() -> None:
    for reader in (read_etsi, read_russian):
        with pytest.raises(MalformedInput):
            reader(b"<a/>")


# Ours ----------------------------------------------------------------------------------------------------------------
def make(circle: Circle, sequence: int = 1, *entries: TrustEntry, **change: object) -> bytes:
    values: dict[str, object] = {"issued": NOW, "next_update": NOW + 90 * DAY} | change
    return build_list(
        "cn",
        "Nord GmbH",
        entries or (TrustEntry(circle.issuing, "", SIGNING, NOW - DAY, None, "UniTrust", "looked at"),),
        circle.organisation.key,
        circle.organisation.certificate,
        sequence=sequence,
        **values,  # type: ignore[arg-type]
    )


def test_our_list_goes_round_in_every_suite(circle: Circle) -> None:
    made = read_list(make(circle), now=NOW, signers=[circle.organisation.certificate.fingerprint()])
    assert made.signer == circle.organisation.certificate
    assert (made.name, made.sequence, made.issued) == ("cn", 1, NOW)
    (entry,) = made.entries
    assert entry == TrustEntry(
        circle.issuing, "list cn no. 1 of Nord GmbH", SIGNING, NOW - DAY, None, "UniTrust", "looked at"
    )


def test_no_change_of_our_list_goes_unnoticed(signing_suite: str) -> None:
    text = make(circle_of(signing_suite)).decode()
    for old, new in (
        ('"sequence": 1', '"sequence": 2'),
        ("UniTrust", "UniTrvst"),
        ('"signing"', '"timestamping"'),
        ('"until": null', '"until": "2026-01-01T00:00:00Z"'),
        ("Nord", "Süd"),
    ):
        assert old in text
        with pytest.raises(TrustListError):
            read_list(text.replace(old, new).encode())
    # how it is laid out does not matter
    assert read_list(json.dumps(json.loads(text)).encode()).sequence == 1


def test_our_list_is_for_its_time_and_from_its_signer() -> None:
    circle, stranger = circle_of("ed25519"), circle_of("sm2")
    text = make(circle)
    for moment in (NOW - timedelta(seconds=1), NOW + 90 * DAY + timedelta(seconds=1)):
        with pytest.raises(TrustListError):
            read_list(text, now=moment)
    with pytest.raises(TrustListError, match="may not sign"):
        read_list(text, signers=[stranger.organisation.certificate.fingerprint()])
    with pytest.raises(TrustListError, match="was not valid"):
        make(circle, issued=NOW + 20_000 * DAY, next_update=NOW + 20_001 * DAY)


def test_the_number_never_goes_back() -> None:
    circle = circle_of("ed25519")
    first, second = read_list(make(circle, 4)), make(circle, 5)
    later = read_list(second, previous=first)
    assert read_list(second, previous=later) == later
    with pytest.raises(TrustListError, match="older"):
        read_list(make(circle, 4), previous=later)
    with pytest.raises(TrustListError, match="two different"):
        read_list(make(circle, 5, TrustEntry(circle.root, "")), previous=later)
    stranger = circle_of("sm2")
    with pytest.raises(TrustListError, match="another signer"):
        read_list(make(stranger, 6), previous=later)
    named = [stranger.organisation.certificate.fingerprint()]
    assert read_list(make(stranger, 6), previous=later, signers=named).sequence == 6


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"{",
        b"[]",
        b'{"format": "sealroad-trust-list/1"}',
        b'{"format": "sealroad-trust-list/1", "format": "sealroad-trust-list/1"}',
        b'{"a": 1.5}',
        b'{"a": NaN}',
        b'{"a": ' + b"[" * 100_000,
        b'\xff{"a": 1}',
    ],
)
def test_what_is_no_list_of_ours_is_refused(data: bytes) -> None:
    with pytest.raises(CertsError):
        read_list(data)


SAMPLE = make(circle_of("ed25519"))
XML = etsi(service(circle_of("ed25519").root, QC, GRANTED, NOW - DAY))


@given(st.data())
def test_no_bytes_make_a_reader_raise_anything_else(data: st.DataObject) -> None:
    mutated = bytearray(data.draw(st.sampled_from([SAMPLE, XML])))
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    try:
        parse_list(bytes(mutated))
    except CertsError:
        pass


# Stores --------------------------------------------------------------------------------------------------------------
def test_a_list_is_read_where_it_is_named_and_confirmed(tmp_path: Path) -> None:
    circle = circle_of("ecdsa-p256")
    xml = tmp_path / "ee.xml"
    xml.write_bytes(etsi(service(circle.root, QC, GRANTED, NOW - DAY)))
    digest = hashlib.sha256(xml.read_bytes()).hexdigest()
    with pytest.raises(TrustListError) as caught:
        TrustStore.load([xml])
    assert digest in caught.value.hint
    with pytest.raises(TrustListError, match="is not the file"):
        TrustStore.load([f"{xml}#sha256={'0' * 64}"])
    store = TrustStore.load([Path(f"{xml}#sha256={digest}")], now=NOW)
    assert store.anchors == (circle.root,)
    with pytest.raises(TrustListError):
        TrustStore.load([f"{xml}#sha256={digest}"], now=NOW + 91 * DAY)
    ours = tmp_path / "cn.json"
    ours.write_bytes(make(circle))
    assert TrustStore.load([ours]).anchors == (circle.issuing,)
    named = circle.organisation.certificate.fingerprint()
    assert load_list(f"{ours}#signer={named}").signer == circle.organisation.certificate
    with pytest.raises(TrustListError):
        TrustStore.load([f"{ours}#signer={'0' * 64}"])
    assert TrustStore.load([tmp_path]).anchors == ()  # lists are not picked up out of directories
    with pytest.raises(MalformedInput):
        load_list(tmp_path / "none.json")


def test_whoever_is_trusted_by_name_is_not_limited_by_a_list() -> None:
    circle = circle_of("ecdsa-p256")
    limited = TrustEntry(circle.root, "a list", SIGNING, None, NOW - DAY)
    for store in (
        TrustStore().listed([limited]).trusting([circle.root]),
        TrustStore().listed([limited]).with_([circle.root]),
        TrustStore().with_([circle.root]).listed([limited]),
    ):
        assert store.why_not(circle.root, "timestamping", NOW)[0] == ""
    assert TrustStore().listed([limited]).why_not(circle.root, "signing", NOW)[0]


def test_a_limited_anchor_leads_on_to_one_above(tmp_path: Path) -> None:
    circle = circle_of("ecdsa-p256")
    limited = TrustEntry(circle.issuing, "a list", SIGNING, None, NOW - DAY)
    store = TrustStore().listed([limited]).with_([circle.root], circle.crls)
    result = validate_path(circle.person.certificate, (), store, NOW)
    assert result.passed
    assert result.chain[-1] == circle.root


def test_the_name_of_the_country_is_not_enough() -> None:
    """A certificate that only calls itself as a listed authority is not it."""
    circle = circle_of("ecdsa-p256")
    key = keys_of("ecdsa-p256")[4]
    impostor = forge("Nobody", key, None, key, ca=True)
    store = TrustStore().listed([TrustEntry(circle.root, "a list")])
    assert not validate_path(impostor, [impostor], store, NOW).passed


# The command ---------------------------------------------------------------------------------------------------------
def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    COMMANDS["trust"].configure(parser)
    return COMMANDS["trust"].run(parser.parse_args(list(words)))


def test_trust_make_and_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    circle = circle_of("sm2")
    key_file.save("key.pem", circle.organisation.key, None)
    signer = Path("signer.pem")
    signer.write_text(circle.organisation.certificate.pem)
    Path("issuing.pem").write_text(circle.issuing.pem)
    Path("root.pem").write_text(circle.root.pem)
    by = ("--key", "key.pem", "--certificate", "signer.pem")
    monkeypatch.setattr("certs.commands.trust.SystemClock", lambda: type("C", (), {"now": staticmethod(lambda: NOW)})())
    one = ("issuing.pem", "--list", "cn", "--issuer", "Nord", "--purpose", "signing", "--from", "2026-01-01")
    assert call("make", *one, *by, "-o", "one.json") == 0
    two = ("root.pem", "--previous", "one.json", "--remove", circle.issuing.fingerprint())
    assert call("make", *two, *by, "-o", "two.json") == 0
    capsys.readouterr()
    assert call("show", "two.json", "--previous", "one.json", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["sequence"], shown["list"], shown["signer"]["suite"]) == (2, "cn", "sm2")
    assert [entry["sha256"] for entry in shown["entries"]] == [circle.root.fingerprint()]
    assert call("show", "one.json") == 0
    assert "signing from 2026-01-01" in capsys.readouterr().out
    with pytest.raises(TrustListError):
        call("show", "one.json", "--previous", "two.json")
    with pytest.raises(CertsError):
        call("make", "root.pem", *by)
    Path("ee.xml").write_bytes(etsi(service(circle.root, QC, GRANTED, NOW - DAY)))
    assert call("show", "ee.xml") == 0
    assert "not verified" in capsys.readouterr().out
    assert isinstance(parse_list(Path("two.json").read_bytes()), TrustList)


@pytest.mark.corpus
def test_every_russian_authority_in_one_list(corpus: Path) -> None:
    """2403 anchors: read once, found at once."""
    with zipfile.ZipFile(corpus / "russia-ca" / "russia-ca.zip") as archive:
        names = [name for name in archive.namelist() if name.startswith("certs/") and not name.endswith("/")]
        authorities = [Certificate(archive.read(name)) for name in names]
    made = read_russian(russian(*((f"УЦ {n}", "Действует", item) for n, item in enumerate(authorities))))
    assert len(made.entries) == 2403
    assert made.notes == ()
    circle = circle_of("gost2012-256")
    store = TrustStore().listed(made.entries).with_([circle.root], circle.crls)
    assert validate_path(circle.person.certificate, circle.chain, store, NOW).passed
    began = time.process_time()
    assert validate_path(circle.person.certificate, circle.chain, store, NOW).passed
    assert time.process_time() - began < 20
