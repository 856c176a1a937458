"""The quick ways give the octets of the general ones: requests of the regular form, and answers in a kept shell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import der, frame, oids, regular, suites, timestamp
from certs.clock import FixedClock
from certs.errors import MalformedInput
from certs.extension_values import Extension
from certs.extensions import encode
from certs.frame import Framed
from certs.ocsp import MAX_NONCE, OCSPRequest, OCSPResponse, make_cert_id, read_request, request_for
from certs.ocsp_responder import OCSPResponder
from certs.suites.base import PrivateKey, PublicKey, Suite
from certs.tsa import TimeStampAuthority
from certs.tsa_counter import Stamp
from tests.certs.test_ocsp import GHOST, desk_of
from tests.conftest import CLOCK, NOW, circle_of, keys_of

DIGESTS = ("sha1", "sha256", "sha384", "sha512", "sm3", "streebog256", "streebog512", "sha3-256")
NONCES = st.none() | st.binary(min_size=1, max_size=MAX_NONCE)
SERIALS = st.integers(1, 2**159 - 1)
UNTIMED = settings(deadline=None)


# Shells --------------------------------------------------------------------------------------------------------------
def nested(first: bytes, second: bytes) -> bytes:
    return der.sequence(der.integer(1), der.octet_string(first), der.sequence(der.bit_string(second)), b"\x05\x00")


@settings(UNTIMED)
@given(st.lists(st.tuples(st.binary(max_size=300), st.binary(max_size=300)), max_size=20))
def test_a_shell_gives_what_its_encoder_gives(pairs: list[tuple[bytes, bytes]]) -> None:
    quick = Framed(nested)
    for pair in pairs * 2:
        assert quick(*pair) == nested(*pair)


def test_a_shell_is_kept_and_no_more_than_are_allowed() -> None:
    calls = []

    def build(value: bytes) -> bytes:
        calls.append(value)
        return der.octet_string(value)

    quick = Framed(build, shapes=2)
    for size in (1, 2):
        quick(bytes(size))
    calls.clear()
    assert [quick(b"a"), quick(b"bb")] == [b"\x04\x01a", b"\x04\x02bb"]
    assert calls == []
    assert [quick(b"ccc") for _ in range(2)] == [b"\x04\x03ccc"] * 2
    assert calls == [b"ccc"] * 2


@pytest.mark.parametrize(
    "build",
    [
        lambda value: der.integer(int.from_bytes(value, "big")),  # as long as its number is
        lambda value: value + value,
        lambda value: value[1:],
    ],
)
def test_an_encoder_that_does_not_copy_is_asked_every_time(build: Callable[..., bytes]) -> None:
    quick = Framed(build)
    for value in (b"ab", b"\xff\xfe", b"\x00\x01", b"ab"):
        assert quick(value) == build(value)


# Reading -------------------------------------------------------------------------------------------------------------
@settings(UNTIMED)
@given(st.sampled_from(DIGESTS), SERIALS, NONCES)
def test_a_regular_ocsp_request_is_read_as_the_general_way_reads_it(
    digest: str, serial: int, nonce: bytes | None
) -> None:
    issuer = circle_of("ed25519").issuing
    data = request_for([make_cert_id(issuer, serial, digest)], nonce=nonce)
    read = regular.ocsp_request(data)
    if len(data) > 3 + 255:  # the longest nonces together with the longest digests
        assert read is None
        return
    assert read == read_request(data)
    assert read is not None
    assert (read.nonce, read.cert_ids[0].der) == (nonce, make_cert_id(issuer, serial, digest))


@settings(UNTIMED)
@given(st.sampled_from(DIGESTS[1:]), NONCES.map(lambda nonce: nonce and int.from_bytes(nonce, "big")), st.data())
def test_a_regular_stamp_request_is_read_as_the_general_way_reads_it(
    digest: str, nonce: int | None, data: st.DataObject
) -> None:
    policy = data.draw(st.sampled_from([None, "1.2.3.4", "2.25.295692249159555160294244189160058752461"]))
    certificates, imprint = data.draw(st.booleans()), data.draw(st.binary(max_size=64))
    request = timestamp.make_request(digest, imprint, nonce=nonce, policy=policy, certificates=certificates)
    if nonce is not None and nonce.bit_length() < 300:
        assert regular.stamp_request(request) == timestamp.read_request(request)
    for whole in (request, without_nonce(digest, imprint, policy, certificates)):
        assert regular.stamp_request(whole) in (None, timestamp.read_request(whole))


def without_nonce(digest: str, imprint: bytes, policy: str | None, certificates: bool) -> bytes:
    tail = (der.oid(policy) if policy else b"") + (b"\x01\x01\xff" if certificates else b"")
    return der.sequence(der.integer(1), timestamp.message_imprint(digest, imprint), tail)


def test_a_stamp_request_without_a_nonce_is_regular_too() -> None:
    request = without_nonce("sm3", bytes(32), None, certificates=True)
    read = regular.stamp_request(request)
    assert read is not None
    assert read == timestamp.read_request(request)


PLAIN = der.sequence(der.sequence(der.oid(oids.SHA1), der.NULL_DER), b"\x04\x01n", b"\x04\x01k", b"\x02\x01\x07")
SAMPLES = (
    request_for([PLAIN]),
    request_for([PLAIN], nonce=b"n" * 8),
    timestamp.make_request("sha256", bytes(32), nonce=7, policy="1.2.3"),
    without_nonce("sha256", bytes(32), None, certificates=False),
)


def same(octets: bytes) -> bool:
    """Compare both ways for octets of any kind; tell whether one of the quick ones read them."""
    read = False
    for quick, general in ((regular.ocsp_request, read_request), (regular.stamp_request, timestamp.read_request)):
        try:
            found: object = quick(octets)
        except MalformedInput:
            with pytest.raises(MalformedInput):
                general(octets)
            continue
        if found is not None:
            assert found == general(octets)
            read = True
    return read


@settings(UNTIMED, max_examples=400)
@given(st.sampled_from(SAMPLES), st.data())
def test_what_is_not_regular_is_left_to_the_general_way(sample: bytes, data: st.DataObject) -> None:
    mutated = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(mutated) - 1))
        how = data.draw(st.sampled_from(["change", "insert", "cut"]))
        octet = data.draw(st.sampled_from([0, 1, 2, 4, 5, 6, 0x30, 0x80, 0x81, 0xFF]) | st.integers(0, 255))
        if how == "change":
            mutated[place] = octet
        elif how == "insert":
            mutated.insert(place, octet)
        elif len(mutated) > 1:
            del mutated[place]
    same(bytes(mutated))


@pytest.mark.parametrize("sample", SAMPLES, ids=["plain", "nonce", "stamp", "short"])
def test_lengths_that_agree_with_one_another_but_not_with_the_octets_are_not_regular(sample: bytes) -> None:
    assert same(sample)
    lengths = list(length_octets(sample, 0, len(sample)))
    for places in chain.from_iterable(combinations(lengths, count) for count in (1, 2, 3, 4)):
        for changes in product((-1, 1, 2), repeat=len(places)):
            mutated = bytearray(sample)
            for place, change in zip(places, changes, strict=True):
                mutated[place] = max(0, mutated[place] + change)
            same(bytes(mutated))
            same(bytes(mutated[:-1]))
            same(bytes(mutated) + b"\x00")


def length_octets(data: bytes, place: int, end: int) -> Iterator[int]:
    """Yield where the lengths stand in DER whose lengths are short."""
    while place < end:
        yield place + 1
        stop = place + 2 + data[place + 1]
        if data[place] & 0x20:
            yield from length_octets(data, place + 2, stop)
        place = stop


def test_odd_members_of_a_stamp_request_are_not_regular() -> None:
    imprint, octets = timestamp.message_imprint("sha256", bytes(32)), der.octet_string(bytes(32))
    sha256 = der.oid(oids.SHA256)
    for strange in (
        der.sequence(der.integer(2), imprint),
        der.sequence(der.integer(1), imprint, b"\x01\x01\x00"),
        der.sequence(der.integer(1), imprint, b"\x01\x01\x01"),
        der.sequence(der.integer(1), imprint, b"\x02\x00"),
        der.sequence(der.integer(1), imprint, b"\x06\x00"),
        der.sequence(der.integer(1), imprint, der.tlv(0xA0, encode(Extension("1.2.3", False, b"")))),
        der.sequence(der.integer(1), der.sequence(der.sequence(sha256, der.integer(1)), octets)),
        der.sequence(der.integer(1), der.sequence(der.sequence(sha256, b"\x30\x02\x30\x05"), octets)),
        der.sequence(der.integer(1), der.sequence(der.sequence(sha256), b"\x24\x22" + octets)),
        b"\x30\x80\x02\x01\x01" + imprint + b"\x00\x00",
    ):
        assert regular.stamp_request(strange) is None


def test_critical_nonces_and_other_extensions_are_not_regular() -> None:
    cert_id = make_cert_id(circle_of("ed25519").issuing, 7)
    nonce = der.octet_string(b"n" * 32)
    for extension in (
        Extension(oids.OCSP_NONCE, True, nonce),
        Extension(oids.OCSP_NONCE, False, b"n" * 34),  # without its OCTET STRING
        Extension(oids.OCSP_ARCHIVE_CUTOFF, False, nonce),
    ):
        tail = der.tlv(0xA2, der.sequence(encode(extension)))
        data = der.sequence(der.sequence(der.sequence(der.sequence(cert_id)), tail))
        assert regular.ocsp_request(data) is None
        assert read_request(data).extensions == (extension,)
    for octets in (b"", b"\x30", b"\x30\x80", bytes(4096)):
        assert regular.ocsp_request(octets) is None
        assert regular.stamp_request(octets) is None


# Answering -----------------------------------------------------------------------------------------------------------
class Replaying:
    """A key that signs the same octets with the same value, so that two answers can be compared."""

    def __init__(self, key: PrivateKey) -> None:
        self._key, self._values = key, dict[bytes, bytes]()
        self.suite: Suite = key.suite
        self.public_key: PublicKey = key.public_key

    def sign(self, message: bytes) -> bytes:
        if message not in self._values:
            self._values[message] = self._key.sign(message)
        return self._values[message]


@contextmanager
def generally() -> Iterator[None]:
    """Take the general way in everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame.Framed, "__call__", lambda self, *values: self._build(*values))
        patch.setattr(regular, "ocsp_request", lambda _: None)
        patch.setattr(regular, "stamp_request", lambda _: None)
        yield


def responders(suite_name: str) -> list[OCSPResponder]:
    desk = desk_of(suite_name)
    key, ledger = Replaying(keys_of(suite_name)[4]), desk.circle.ca.issuing.ledger
    own = Replaying(keys_of(suite_name)[1])
    late = FixedClock(desk.person.not_after + timedelta(days=1))
    return [
        OCSPResponder(key, desk.issuing.certificate, desk.issuer, ledger, CLOCK),
        OCSPResponder(own, desk.issuer, desk.issuer, ledger, late),
    ]


def test_ocsp_answers_are_those_of_the_general_way(suite_name: str) -> None:
    desk, found = desk_of(suite_name), responders(suite_name)
    serials = [desk.person.serial, desk.circle.organisation.certificate.serial, GHOST]

    @settings(UNTIMED, max_examples=15)
    @given(st.sampled_from(DIGESTS), st.lists(st.sampled_from(serials), min_size=1, max_size=3), NONCES)
    def compare(digest: str, asked: list[int], nonce: bytes | None) -> None:
        request = request_for([make_cert_id(desk.issuer, serial, digest) for serial in asked], nonce=nonce)
        for responder in found:
            responder.respond(request)
            quick = responder.respond(request)  # the shell is known by now
            responder._shelf.clear()
            with generally():
                assert responder.respond(request) == quick
            assert OCSPResponse(quick).status == "successful"
            assert OCSPResponse(quick).nonce == nonce

    compare()


def test_the_shell_of_an_answer_is_in_use(suite_name: str) -> None:
    responder, desk = responders(suite_name)[0], desk_of(suite_name)
    for _ in range(8):  # an ECDSA value has several lengths
        responder.respond(request_for([make_cert_id(desk.issuer, desk.person.serial)], nonce=bytes(32)))
    assert responder._data._shells
    assert responder._response._shells


class Stamps:
    """A counter that gives what it is told."""

    stamp = Stamp(1, NOW)

    def next(self, now: datetime, *, strict: bool) -> Stamp:
        return self.stamp


MOMENTS = st.timedeltas(timedelta(0), timedelta(days=365 * 70)).map(lambda age: datetime(2000, 1, 1, tzinfo=UTC) + age)
STAMPS = st.builds(Stamp, SERIALS, MOMENTS | MOMENTS.map(lambda moment: moment.replace(microsecond=0)))


def test_tokens_are_those_of_the_general_way(suite_name: str) -> None:
    circle, key, stamps = circle_of(suite_name), Replaying(circle_of(suite_name).tsa.key), Stamps()
    outers = [oids.SIGNED_DATA] + ([oids.GM_SIGNED_DATA] if suite_name == "sm2" else [])
    units = [
        TimeStampAuthority(
            *(key, circle.tsa.certificate, circle.chain[:1], CLOCK, "1.2.3", stamps),
            policies=["1.2.3.4.5.6.7"],
            ordering=ordering,
            accuracy=accuracy,
            outer_oid=outer,
        )
        for ordering, accuracy in ((True, timedelta(seconds=1)), (False, timedelta(milliseconds=1501)))
        for outer in outers
    ]
    policies = st.sampled_from([None, "1.2.3", "1.2.3.4.5.6.7", "1.2.9"])
    nonces = st.integers(0, 2**160) | st.integers(0, 2**64)

    @settings(UNTIMED, max_examples=15)
    @given(st.sampled_from(DIGESTS), st.binary(min_size=64, max_size=64), nonces, policies, st.booleans(), STAMPS)
    def compare(digest: str, data: bytes, nonce: int, policy: str | None, certificates: bool, stamp: Stamp) -> None:
        stamps.stamp = stamp
        imprint = data[: suites.new_digest(digest).digest_size]
        request = timestamp.make_request(digest, imprint, nonce=nonce, policy=policy, certificates=certificates)
        for unit in units:
            unit.respond(request)
            quick = unit.respond(request)
            with generally():
                assert unit.respond(request) == quick
            if policy != "1.2.9" and digest != "sha1":
                token = timestamp.check_response(quick, request, others=[circle.tsa.certificate])
                assert (token.serial, token.gen_time, token.nonce) == (*stamp, nonce)
            if digest != "sha1":
                assert unit.stamp(digest, imprint) == unit.stamp(digest, imprint)

    compare()


def test_an_answer_of_the_next_second_bears_its_own_times() -> None:
    desk = desk_of("ed25519")

    class Hand:
        moment = NOW

        def now(self) -> datetime:
            return self.moment

    clock = Hand()
    ledger = desk.circle.ca.issuing.ledger
    responder = OCSPResponder(keys_of("ed25519")[4], desk.issuing.certificate, desk.issuer, ledger, clock)
    request = request_for([make_cert_id(desk.issuer, desk.person.serial)], nonce=bytes(32))
    for seconds in (0, 0, 1, 2, 1, 3600):
        clock.moment = NOW + timedelta(seconds=seconds, microseconds=5)
        response = OCSPResponse(responder.respond(request))
        single = response.responses[0]
        expected = NOW + timedelta(seconds=seconds)
        assert (response.produced_at, single.this_update) == (expected, expected)
        assert single.next_update == expected + timedelta(hours=1)


def test_requests_are_compared_with_what_they_say() -> None:
    """The comparison above would be empty if two different requests were equal."""
    cert_id = read_request(request_for([make_cert_id(circle_of("ed25519").issuing, 7)])).cert_ids[0]
    assert OCSPRequest((cert_id,)) != OCSPRequest((replace(cert_id, serial=8),))
