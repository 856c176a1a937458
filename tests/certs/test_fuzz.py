"""Every reader of foreign octets: damaged samples of every suite give a result or one of our errors, and soon.

`READERS` has them all; a new reader is a row. SEALROAD_FUZZ is the number of examples of each (60 by default):

    SEALROAD_FUZZ=20000 python -m pytest tests/certs/test_fuzz.py

What was found has a test of its own at the end.
"""

from __future__ import annotations

import io
import json
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certs import ocsp, oids, profiles, request, suites, timestamp
from certs.application import parse as parse_application
from certs.audit import checkpoint, proof
from certs.audit.log import parse_entry
from certs.canonical import decode
from certs.ceremony import parse_script
from certs.ceremony import read as read_transcript
from certs.ceremony_record import verify as verify_transcript
from certs.certificate import Subject, load_certificates
from certs.constraints import Subtree
from certs.crl_view import load_crls
from certs.describe import as_text, describe
from certs.enveloped import decrypt_bytes, encrypt, encrypt_bytes
from certs.errors import MalformedInput, SealroadError
from certs.fetch import FetchError, HTTPFetcher
from certs.identifiers import Identifier
from certs.keys import destruction, envelope, file, pkcs11_uri, sealed_files, shares
from certs.keys.envelope import Label
from certs.keys.kek import open_provider
from certs.keys.pkcs11_mechanisms import read_config
from certs.ocsp_check import check_response as check_ocsp
from certs.path import validate_path
from certs.pem import armor
from certs.possession import Voucher
from certs.ra import read_approval
from certs.request import make_request
from certs.signed_data import build_signed_data, certificate_bundle, parse_signed_data
from certs.signed_view import check_signing_certificate
from certs.sink import MemorySink
from certs.trust import TrustStore
from certs.trust import parse as parse_anchors
from certs.trust.load import parse_list
from tests.certs.audit import desk as audit_desk
from tests.certs.mutation import damage
from tests.certs.old_keys import OldKey
from tests.certs.post import CERTIFIED_BY, ENCRYPTING, mailbox
from tests.certs.test_ceremony import root_script, script_of, seats
from tests.certs.test_ocsp import desk_of
from tests.certs.test_ra import application_of, with_approvals
from tests.certs.test_trust_lists import GRANTED, QC, etsi, make, russian, service
from tests.conftest import ALL_SUITES, CLOCK, NOW, SIGNING, circle_of, keys_of, own_directory

EXAMPLES = int(os.environ.get("SEALROAD_FUZZ", "60"))
SECONDS = 20.0
"""Of the processor for one example: far more than any needs, and far less than what runs on without end."""
CONTENT = b"contract"

pytestmark = pytest.mark.usefixtures("cheap_passwords")


@dataclass(frozen=True)
class Reader:
    """One reader, and what it reads."""

    samples: Callable[[str], Sequence[bytes]]
    """Valid octets in a suite."""
    read: Callable[[bytes, str], object]
    """Reads, and touches everything that is read only when looked at."""
    suites: Sequence[str] = ALL_SUITES


def touch(item: object) -> None:
    """Look at every property; those of a malformed value may raise one of ours."""
    for name in dir(type(item)):
        if not name.startswith("_"):
            try:
                found = getattr(item, name)
                if not callable(found):
                    repr(found)
            except SealroadError:
                continue


# Samples and readers --------------------------------------------------------------------------------------------------
def _certificates(suite: str) -> list[bytes]:
    circle = circle_of(suite)
    own = [circle.person.certificate, circle.issuing, circle.tsa.certificate]
    return [*(item.der for item in own), own[0].pem.encode(), certificate_bundle(own)]


def _read_certificates(data: bytes, suite: str) -> None:
    circle = circle_of(suite)
    for certificate in load_certificates(data)[:3]:
        touch(certificate)
        store = TrustStore(anchors=(circle.root,))
        person = circle.person.certificate
        validate_path(certificate, circle.chain, store, NOW, revocation="if-present")
        validate_path(person, [certificate, circle.root], store, NOW, revocation="if-present")
        validate_path(person, circle.chain, TrustStore(anchors=(certificate,)), NOW, revocation="if-present")


def _read_crls(data: bytes, suite: str) -> None:
    circle = circle_of(suite)
    lists = load_crls(data)[:3]
    for crl in lists:
        touch(crl)
        touch(crl.scope)
    store = TrustStore(anchors=(circle.root,))
    validate_path(circle.person.certificate, circle.chain, store, NOW, crls=lists)


def _ocsp_request(suite: str) -> list[bytes]:
    desk = desk_of(suite)
    return [ocsp.make_request([(desk.person, desk.issuer)], nonce=b"n" * 32)]


def _read_ocsp_request(data: bytes, suite: str) -> None:
    desk_of(suite).issuing.respond(data)  # never raises
    touch(ocsp.read_request(data))


def _ocsp_answer(suite: str) -> list[bytes]:
    desk = desk_of(suite)
    return [desk.issuing.respond(_ocsp_request(suite)[0]), desk.root.respond(_ocsp_request(suite)[0])]


def _read_ocsp_answer(data: bytes, suite: str) -> None:
    desk = desk_of(suite)
    answer = ocsp.load_response(data)
    touch(answer)
    store = TrustStore(anchors=(desk.circle.root,))
    validate_path(desk.person, desk.circle.chain, store, NOW, ocsps=[answer])
    check_ocsp(data, _ocsp_request(suite)[0], desk.issuer, NOW)


@cache
def _request(suite: str) -> tuple[bytes, ...]:
    made = make_request(keys_of(suite)[2], Subject("Anna Schmidt", country="DE", email="anna@example.com"))
    person = circle_of(suite).person
    stated = make_request(keys_of("x25519")[2], Subject("-"), by=Voucher(person.key, person.certificate))
    return made, armor("CERTIFICATE REQUEST", made).encode(), stated


def _read_request(data: bytes, suite: str) -> None:
    found = request.load_request(data)
    touch(found)
    voucher = circle_of(suite).person.certificate
    request.accept(found, profiles.load("person"), vouching=lambda _: voucher)


@cache
def _stamp_request(suite: str) -> tuple[bytes, ...]:
    digest = suites.digest("sha256", CONTENT)
    return timestamp.make_request("sha256", digest), timestamp.make_request("sha256", digest, nonce=7)


def _read_stamp_request(data: bytes, suite: str) -> None:
    circle_of(suite).timestamper.respond(data)  # never raises
    touch(timestamp.read_request(data))


@cache
def _stamp(suite: str) -> tuple[bytes, ...]:
    desk = circle_of(suite).timestamper
    return desk.respond(_stamp_request(suite)[0]), desk.stamp("sha256", suites.digest("sha256", CONTENT))


def _read_stamp(data: bytes, suite: str) -> None:
    try:
        touch(timestamp.check_response(data, _stamp_request(suite)[0]))
    except SealroadError:  # a token without its answer is read too
        token = timestamp.read_token(data)
        touch(token)
        token.verify("sha256", suites.digest("sha256", CONTENT))


@cache
def _message(suite: str) -> tuple[bytes, ...]:
    person, chain = circle_of(suite).person, circle_of(suite).chain
    return (
        build_signed_data(CONTENT, person.key, person.certificate, chain=chain, signing_time=NOW + timedelta(hours=1)),
        build_signed_data(CONTENT, person.key, person.certificate, detached=True),
    )


def _read_message(data: bytes, suite: str) -> None:
    view = parse_signed_data(data)
    touch(view)
    for signer in view.signers[:3]:
        touch(signer)
        signer.verify(CONTENT)


@cache
def _letters(suite: str) -> tuple[bytes, ...]:
    certificate, streamed = mailbox(suite).certificate, MemorySink()
    encrypt(io.BytesIO(CONTENT), streamed, [certificate])
    assert streamed.data is not None
    return encrypt_bytes(CONTENT, [certificate]), streamed.data


def _read_letter(data: bytes, suite: str) -> None:
    decrypt_bytes(data, mailbox(suite).key, mailbox(suite).certificate)


@cache
def _lists(suite: str) -> tuple[bytes, ...]:
    root = circle_of(suite).root
    european = etsi(service(root, QC, GRANTED, NOW - timedelta(days=1)))
    return european, russian(("Центр", "Действует", root)), make(circle_of(suite))


def _private(suite: str) -> list[bytes]:
    key = keys_of(suite)[2]
    return [key.pkcs8(), armor("PRIVATE KEY", key.pkcs8()).encode()]


@cache
def _encrypted(suite: str) -> tuple[bytes, ...]:
    made = file.encrypt_pkcs8(keys_of(suite)[2].pkcs8(), b"pw")
    return made, armor("ENCRYPTED PRIVATE KEY", made).encode()


@cache
def _kek() -> Any:
    os.environ["SEALROAD_FUZZ_KEK"] = "ab" * 32
    return open_provider("env:SEALROAD_FUZZ_KEK")


@cache
def _sealed(suite: str) -> tuple[bytes, ...]:
    return (envelope.seal(keys_of(suite)[2], _kek(), Label("k")),)


@cache
def _statement(suite: str) -> tuple[bytes, ...]:
    person = circle_of(suite).person
    facts = destruction.Destroyed("file", suite, "aa" * 20, "overwritten", "copies")
    return (destruction.state(facts, person.key, person.certificate, at=NOW, reason="superseded"),)


@cache
def _shares(suite: str) -> tuple[bytes, ...]:
    pytest.importorskip("shamir_mnemonic", reason="the extra 'ceremony' is not installed")
    return ("\n".join(shares.split(bytes(range(32)), threshold=2, count=2)).encode(),)


@cache
def _books(suite: str) -> Any:
    from certs import circle as circles

    return circles.books(audit_desk.original(suite), CLOCK)


def _checkpoint(suite: str) -> list[bytes]:
    return [_books(suite).log.checkpoints()[-1]]


@cache
def _proofs(suite: str) -> tuple[bytes, ...]:
    books = _books(suite)
    last = checkpoint.parse(books.log.checkpoints()[-1])
    serial = books.ledger.entries(books.issuers[1])[0].serial
    return proof.prove_inclusion(books.log, serial), proof.prove_consistency(books.log, 3, last.size)


def _read_proof(data: bytes, suite: str) -> None:
    last = checkpoint.parse(_books(suite).log.checkpoints()[-1])
    proof.check(data, last, [last])


@cache
def _application(suite: str) -> tuple[bytes, ...]:
    return (with_approvals(application_of("ab" * 20, suite), ("anna", "boris")).encode(),)


@cache
def _approvals(suite: str) -> tuple[bytes, ...]:
    return tuple(parse_application(_application(suite)[0]).approvals)


@cache
def _scripts(suite: str) -> tuple[bytes, ...]:
    parameters = {"directory": "x", "suite": suite, "organisation": "N", "country": "DE"}
    return (script_of("root", parameters, seats()).encode(),)


@cache
def _transcript(suite: str) -> tuple[bytes, ...]:
    from tests.certs.test_ceremony import hold

    place = own_directory("sealroad-fuzz-")
    return (hold(root_script(place / "ca", suite), seats()[:2], place / "t"),)


def _read_transcript(data: bytes, suite: str) -> None:
    read_transcript(data)
    verify_transcript(data)


def _profiles(suite: str) -> list[bytes]:
    folder = Path(profiles.__file__).parent
    return [path.read_bytes() for path in sorted(folder.glob("*.toml"))]


def _text(read: Callable[[str], object]) -> Callable[[bytes, str], object]:
    return lambda data, _: read(data.decode("utf-8", "surrogateescape"))


def _plain(read: Callable[[bytes], object]) -> Callable[[bytes, str], object]:
    return lambda data, _: read(data)


ONE = ("ed25519",)
"""For what has no suite."""

READERS: dict[str, Reader] = {
    "certificates": Reader(_certificates, _read_certificates),
    "revocation-lists": Reader(lambda suite: [crl.der for crl in circle_of(suite).crls], _read_crls),
    "ocsp-requests": Reader(_ocsp_request, _read_ocsp_request),
    "ocsp-answers": Reader(_ocsp_answer, _read_ocsp_answer),
    "certificate-requests": Reader(_request, _read_request),
    "time-stamp-requests": Reader(_stamp_request, _read_stamp_request),
    "time-stamps": Reader(_stamp, _read_stamp),
    "signed-data": Reader(_message, _read_message),
    "encrypted-messages": Reader(_letters, _read_letter, ENCRYPTING),
    "trust-lists": Reader(_lists, _plain(parse_list)),
    "anchors": Reader(_certificates, _plain(parse_anchors)),
    "private-keys": Reader(_private, _plain(file.parse)),
    "private-keys-of-suites": Reader(lambda suite: _private(suite)[:1], _plain(suites.load_private)),
    "public-keys": Reader(
        lambda suite: [keys_of(suite)[2].public_key.spki, OldKey().whole], _plain(suites.load_public)
    ),
    "encrypted-keys": Reader(_encrypted, lambda data, _: file.parse(data, b"pw")),
    "sealed-keys": Reader(_sealed, lambda data, _: envelope.unseal(envelope.parse(data), _kek())),
    "statements-of-destruction": Reader(_statement, _plain(destruction.read_statement)),
    "shares": Reader(_shares, _text(lambda text: shares.recover(text.split("\n"))), ONE),
    "checkpoints": Reader(_checkpoint, lambda data, _: checkpoint.parse(data).verify(), SIGNING),
    "proofs": Reader(_proofs, _read_proof, ONE),
    "log-entries": Reader(lambda suite: [e.data for e in _books(suite).log.entries()[:4]], _plain(parse_entry), ONE),
    "applications": Reader(_application, _plain(parse_application)),
    "approvals": Reader(_approvals, _plain(read_approval), ONE),
    "ceremony-scripts": Reader(_scripts, _text(parse_script), ONE),
    "ceremony-records": Reader(_transcript, _read_transcript, ONE),
    "profiles": Reader(_profiles, lambda data, _: profiles.read("mine", data), ONE),
    "token-addresses": Reader(
        lambda _: [b"pkcs11:token=ca;object=k;id=%01%02?module-path=/usr/lib/x.so&pin-source=file:/pin"],
        _text(pkcs11_uri.parse),
        ONE,
    ),
    "sealed-addresses": Reader(
        lambda _: [b"a%3Fb?kek=pkcs11:token=x;object=y?module-path=/m", b"k?kek=file:x"],
        _text(sealed_files.split_rest),
        ONE,
    ),
    "identifiers": Reader(lambda _: [b"CN-ID:11010519491231002X", b"RU-INN:7707083893"], _text(Identifier.parse), ONE),
    "subtrees": Reader(
        lambda _: [b"dns:example.cn", b"ip:192.0.2.0/24", b"email:.example.cn", b"dn:3000"], _text(Subtree.parse), ONE
    ),
    "canonical-json": Reader(_proofs, _plain(decode), ONE),
}


DESCRIBED = (
    *("certificates", "revocation-lists", "ocsp-answers", "certificate-requests", "time-stamps", "signed-data"),
    *("checkpoints", "applications"),
)


def _everything(suite: str) -> list[bytes]:
    return [sample for name in DESCRIBED for sample in READERS[name].samples(suite)]


READERS["descriptions"] = Reader(_everything, lambda data, _: as_text(describe(data)), SIGNING)


def attempt(reader: Reader, data: bytes, suite: str) -> None:
    began = time.process_time()
    try:
        reader.read(data, suite)
    except SealroadError:
        pass
    spent = time.process_time() - began
    assert spent < SECONDS, f"{spent:.1f} s for {len(data)} octets"


@pytest.mark.parametrize("name", READERS)
def test_samples_are_read(name: str) -> None:
    reader = READERS[name]
    for suite in reader.suites[:1]:
        for sample in reader.samples(suite):
            if name in (
                "ocsp-answers",
                "subtrees",
                "proofs",
                "canonical-json",
            ):  # not each of them is good for each use
                attempt(reader, sample, suite)
            else:
                reader.read(sample, suite)


@pytest.mark.parametrize("name", READERS)
def test_damaged_octets(name: str) -> None:
    reader = READERS[name]
    for suite in reader.suites:  # what is made at first use is not timed
        desk_of(CERTIFIED_BY.get(suite, suite))
        reader.samples(suite)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**64), st.sampled_from(reader.suites))
    def run(seed: int, suite: str) -> None:
        chance = random.Random(seed)
        samples = reader.samples(suite)
        attempt(reader, damage(chance, chance.choice(samples), samples), suite)

    run()


@given(st.binary(max_size=300), st.sampled_from(sorted(READERS)))
@settings(max_examples=10 * EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_octets_at_all(data: bytes, name: str) -> None:
    attempt(READERS[name], data, READERS[name].suites[0])


# Answers of servers ---------------------------------------------------------------------------------------------------
ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.0 302 Found\r\nLocation: http://x.example/\r\n\r\n",
)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[int, list[bytes]]]:
    """A server that gives the last octets of a list as its whole answer, whatever it is asked."""
    answer = [b""]
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connected, _ = listening.accept()
            except OSError:
                return
            with connected:
                try:
                    connected.settimeout(2)
                    connected.recv(65536)
                    connected.sendall(answer[-1])
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listening.getsockname()[1], answer
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)


def test_answers_of_servers(server: tuple[int, list[bytes]]) -> None:
    port, answer = server
    fetch = HTTPFetcher(allow_private=True, timeout=2)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**64))
    def run(seed: int) -> None:
        chance = random.Random(seed)
        answer[:] = [damage(chance, chance.choice(ANSWERS), ANSWERS)]
        began = time.process_time()
        try:
            assert isinstance(fetch(f"http://127.0.0.1:{port}/x"), bytes)
        except FetchError:
            pass
        assert time.process_time() - began < SECONDS

    run()


# What was found -------------------------------------------------------------------------------------------------------
def test_pem_that_begins_again_and_again_takes_no_time() -> None:
    many = b"-----BEGIN CERTIFICATE-----" * 40_000
    distinct = b"".join(b"-----BEGIN A%d-----" % number for number in range(60_000))
    for data in (many, distinct, many + circle_of("ed25519").root.pem.encode()):
        began = time.process_time()
        try:
            load_certificates(data)
        except SealroadError:
            pass
        assert time.process_time() - began < 20


def test_a_signing_certificate_attribute_with_nothing_in_it() -> None:
    circle = circle_of("ed25519")
    for oid in (oids.SIGNING_CERTIFICATE_V2, oids.SIGNING_CERTIFICATE):
        made = _message("ed25519")[0]
        signer = parse_signed_data(made).signers[0]
        empty = replace(signer, attributes=((oid, (b"\x30\x00",)),))
        with pytest.raises(MalformedInput):
            _ = empty.signing_certificates
        with pytest.raises(MalformedInput):
            check_signing_certificate(empty, circle.person.certificate)


def test_half_a_surrogate_is_no_text() -> None:
    half = "\ud800"
    with pytest.raises(SealroadError):
        parse_script(_scripts("ed25519")[0].decode() + "# " + half)
    with pytest.raises(SealroadError):
        pkcs11_uri.parse(f"pkcs11:token={half}")
    record = _transcript("ed25519")[0].replace(b'"title": "', b'"title": "' + repr(half)[1:-1].encode())
    with pytest.raises(SealroadError):
        read_transcript(record)


def test_a_number_of_many_digits_is_no_toml() -> None:
    number = "9" * 5000
    with pytest.raises(SealroadError):
        profiles.read("mine", f"days = {number}".encode())
    with pytest.raises(SealroadError):
        parse_script(f"threshold = {number}")


def test_a_key_in_letters_of_another_alphabet_is_no_base64() -> None:
    value = json.loads(_application("ed25519")[0])
    value["application"]["public_key"] = "ключ"
    with pytest.raises(MalformedInput):
        parse_application(json.dumps(value, ensure_ascii=False).encode())


def test_a_table_of_mechanisms_with_a_number_of_many_digits(tmp_path: Path) -> None:
    path = tmp_path / "mechanisms.toml"
    path.write_text(f"a = {'9' * 5000}")
    with pytest.raises(MalformedInput):
        read_config(str(path))
