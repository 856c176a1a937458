"""What vendors do otherwise than the standards say is read and named; what no seal can be is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import der, oids, suites
from certs.certificate import Certificate
from certs.errors import BackendUnavailable, MalformedInput
from signer.seals import (
    CertificateDigest,
    Seal,
    SealExtension,
    SealPicture,
    SealSignature,
    SealVersion,
    read_seal,
    read_seal_signature,
    writing,
)
from signer.seals.check import verify_value
from signer.seals.sign import sign_with_seal
from tests.conftest import NOW, circle_of
from tests.signer.seals import corpus as files
from tests.signer.seals.making import PROPERTY, seal_of

V1, V4, V5 = SealVersion.V1, SealVersion.V4, SealVersion.V5
UTC_TIME, GENERALIZED_TIME, IA5, UTF8, PRINTABLE, TAGGED = 0x17, 0x18, 0x16, 0x0C, 0x13, 0xA0


def ia5(text: str) -> bytes:
    return der.tlv(IA5, text.encode())


def utc(text: str = "261121100000Z") -> bytes:
    return der.tlv(UTC_TIME, text.encode())


def generalized(text: str = "20261121100000Z") -> bytes:
    return der.tlv(GENERALIZED_TIME, text.encode())


@dataclass
class Parts:
    """A seal by hand, one member at a time, signed by the circle's person."""

    version: SealVersion
    header: list[bytes] = field(default_factory=list)
    number: bytes = ia5("42")
    kind: bytes = der.integer(1)
    name: bytes = der.tlv(UTF8, "印章".encode())
    list_kind: bytes = b""
    entries: list[bytes] = field(default_factory=list)
    times: list[bytes] = field(default_factory=list)
    picture: list[bytes] = field(default_factory=list)
    extensions: bytes = b""
    sign_info: Callable[[bytes], bytes] = der.sequence
    behind: bytes = b""

    def __post_init__(self) -> None:
        early = self.version == V1
        self.header = self.header or [ia5("ES"), der.integer(self.version), ia5("V")]
        self.list_kind = self.list_kind or (b"" if early else der.integer(1))
        self.entries = self.entries or [der.octet_string(circle_of("sm2").organisation.certificate.der)]
        self.times = self.times or [utc() if early else generalized()] * 3
        self.picture = self.picture or [ia5("PNG"), der.octet_string(b"x"), der.integer(40), der.integer(40)]

    def info(self) -> bytes:
        rights = der.sequence(self.kind, self.name, self.list_kind, der.sequence(*self.entries), *self.times)
        return der.sequence(
            der.sequence(*self.header), self.number, rights, der.sequence(*self.picture), self.extensions
        )

    def encoded(self) -> bytes:
        maker, info = circle_of("sm2").person, self.info()
        named = der.octet_string(maker.certificate.der) + der.oid(oids.SM2_WITH_SM3)
        if self.version == V1:
            value = maker.key.sign(der.sequence(info, named))
            return der.sequence(info, self.sign_info(named + der.bit_string(value)))
        return der.sequence(info, named, der.bit_string(maker.key.sign(info)), self.behind)

    def read(self) -> Seal:
        """Read the seal and check its value: variants are over the octets as received too."""
        seal = read_seal(self.encoded())
        assert seal.version == self.version
        verify_value(Certificate(seal.maker), seal.signature_algorithm, seal.signature, seal.tbs)
        return seal


def signed(seal: bytes, *members: bytes, version: int = 1, extensions: bytes = b"", behind: bytes = b"") -> bytes:
    """Return a seal signature by hand: `members` are timeInfo and dataHash."""
    owner = circle_of("sm2").organisation
    named = der.octet_string(owner.certificate.der) + der.oid(oids.SM2_WITH_SM3)
    early = read_seal(seal).version == V1
    inside = named if early else extensions
    tbs = der.sequence(der.integer(version), seal, *members, ia5(PROPERTY), inside)
    value = der.bit_string(owner.key.sign(tbs))
    return der.sequence(tbs, value) if early else der.sequence(tbs, named, value, behind)


def read_signed(data: bytes) -> SealSignature:
    found = read_seal_signature(data)
    verify_value(Certificate(found.certificate), found.signature_algorithm, found.signature, found.tbs)
    return found


# Variants of seals ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", list(SealVersion))
def test_a_seal_as_the_standard_says_has_no_variants(version: SealVersion) -> None:
    assert Parts(version).read().variants == ()


@pytest.mark.parametrize("version", list(SealVersion))
@pytest.mark.parametrize("kind", [1, 3, 4, 6, 15])
def test_the_type_is_an_open_number(version: SealVersion, kind: int) -> None:
    seal = Parts(version, kind=der.integer(kind)).read()
    assert (seal.type, seal.variants) == (kind, ())


def test_a_seal_of_2014_with_the_example_of_the_text_as_version() -> None:
    seal = Parts(V1, header=[ia5("ES"), der.integer(11), ia5("V")]).read()
    assert (seal.version, seal.header_version, seal.variants) == (V1, 11, ())


def test_a_seal_of_2014_with_another_version_or_id() -> None:
    seal = Parts(V1, header=[ia5("SE"), der.integer(2), ia5("V")]).read()
    assert (seal.header_id, seal.header_version, seal.variants) == ("SE", 2, ("header-id", "header-version"))


def test_a_seal_of_2014_with_generalizedtime() -> None:
    seal = Parts(V1, times=[utc(), generalized(), generalized("20270101000000Z")]).read()
    assert seal.variants == ("v1-generalized-time",)
    assert seal.valid_to == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("version", [V4, V5])
def test_a_later_seal_with_utctime(version: SealVersion) -> None:
    seal = Parts(version, times=[utc()] * 3).read()
    assert (seal.variants, seal.created) == (("utc-time",), NOW)


def test_a_list_of_2014_with_the_name_of_a_certificate() -> None:
    certificate = circle_of("sm2").organisation.certificate.der
    seal = Parts(V1, entries=[ia5("1"), der.octet_string(certificate)]).read()
    assert (seal.foreign_entries, seal.certificates) == (("1",), (certificate,))
    assert seal.variants == ("foreign-entry",)
    assert seal.lists(certificate) == "certificate"
    assert Parts(V1, entries=[ia5("1")]).read().lists(certificate) is None


def test_sign_info_inside_a_bit_string() -> None:
    seal = Parts(V1, sign_info=lambda members: der.bit_string(der.sequence(members))).read()
    assert seal.variants == ("wrapped-sign-info",)


@pytest.mark.parametrize("version", list(SealVersion))
def test_extension_data_of_a_seal_with_and_without_tag(version: SealVersion) -> None:
    extensions = (SealExtension("1.2.3", critical=True, value=b"a"), SealExtension("1.2.4", critical=False, value=b""))
    plain = der.sequence(
        der.sequence(der.oid("1.2.3"), b"\x01\x01\xff", der.octet_string(b"a")),
        der.sequence(der.oid("1.2.4"), der.octet_string(b"")),
    )
    seal = Parts(version, extensions=plain).read()
    assert (seal.extensions, seal.variants) == (extensions, ())
    tagged = Parts(version, extensions=der.tlv(TAGGED, plain)).read()
    assert (tagged.extensions, tagged.variants) == (extensions, ("tagged-extension-data",))


def test_a_default_that_is_written() -> None:
    item = der.sequence(der.oid("1.2.3"), b"\x01\x01\x00", der.octet_string(b"a"))
    seal = Parts(V4, extensions=der.sequence(item)).read()
    assert (seal.extensions[0].critical, seal.variants) == (False, ("explicit-default",))


@pytest.mark.parametrize("version", [V4, V5])
@pytest.mark.parametrize("tagged", [True, False])
def test_the_time_stamp_of_a_seal_with_and_without_tag(version: SealVersion, tagged: bool) -> None:
    plain = der.bit_string(b"token")
    seal = Parts(version, behind=der.tlv(TAGGED, plain) if tagged else plain).read()
    assert seal.time_stamp == b"token"
    expected = () if tagged else ("untagged-time-stamp",)
    assert seal.variants == (*expected, *(("v4-time-stamp",) if version == V4 else ()))


def test_a_text_that_is_not_ascii() -> None:
    seal = Parts(V4, header=[ia5("ES"), der.integer(4), ia5("砚川")]).read()
    assert (seal.vendor, seal.variants) == ("砚川", ("text-not-ascii",))


# Variants of seal signatures -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("contents", "time", "variants"),
    [
        (utc(), NOW, ()),
        (generalized(), NOW, ()),
        (b"2026-11-21 18:00:00", NOW, ("time-text", "time-without-zone")),
        (b"2020-01-25T07:31:56.377Z", datetime(2020, 1, 25, 7, 31, 56, 377000, tzinfo=UTC), ("time-text",)),
        (b"0001-01-01T00:00:00+14:00", None, ("time-text",)),
        (b"261121100000Z", NOW, ("time-text",)),
        (b"20261121100000Z", NOW, ("time-text",)),
        (b"20261321100000Z", None, ()),
        (b"yesterday", None, ()),
        (b"", None, ()),
        (b"\xff\xfe", None, ()),
    ],
)
@pytest.mark.parametrize("octets", [False, True])
def test_times_of_2014(contents: bytes, time: datetime | None, variants: tuple[str, ...], octets: bool) -> None:
    write = der.octet_string if octets else der.bit_string
    found = read_signed(signed(Parts(V1).encoded(), write(contents), write(bytes(32))))
    assert (found.time, found.time_info, found.data_hash) == (time, contents, bytes(32))
    assert found.variants == ((("octet-string",) if octets else ()) + variants)
    assert found.time_token is None


def test_a_time_stamp_as_time_of_2014() -> None:
    token = circle_of("sm2").timestamper.stamp("sm3", bytes(32))
    found = read_signed(signed(Parts(V1).encoded(), der.bit_string(token), der.bit_string(bytes(32))))
    assert (found.time_token, found.time, found.variants) == (token, NOW, ())
    unreadable = der.sequence(der.oid(oids.SIGNED_DATA))
    found = read_signed(signed(Parts(V1).encoded(), der.bit_string(unreadable), der.bit_string(bytes(32))))
    assert (found.time_token, found.time) == (unreadable, None)


@pytest.mark.parametrize("version", [V4, V5])
def test_extension_data_and_time_stamp_of_a_signature_without_tags(version: SealVersion) -> None:
    members = (generalized(), der.bit_string(bytes(32)))
    item = der.sequence(der.sequence(der.oid("1.2.3"), der.octet_string(b"a")))
    seal, stamp = Parts(version).encoded(), der.bit_string(b"token")
    usual = read_signed(
        signed(seal, *members, version=version, extensions=der.tlv(TAGGED, item), behind=der.tlv(TAGGED, stamp))
    )
    plain = read_signed(signed(seal, *members, version=version, extensions=item, behind=stamp))
    assert usual.extensions == plain.extensions == (SealExtension("1.2.3", critical=False, value=b"a"),)
    assert usual.time_stamp == plain.time_stamp == b"token"
    assert usual.variants == ()
    assert set(plain.variants) == {"untagged-extension-data", "untagged-time-stamp"}


def test_a_signature_that_gives_another_version_than_its_seal() -> None:
    found = read_signed(signed(Parts(V4).encoded(), generalized(), der.bit_string(bytes(32)), version=5))
    assert (found.version, found.signature_version, found.variants) == (V4, 5, ("signature-version",))


# What is refused ------------------------------------------------------------------------------------------------------
def pair(text: str, value: bytes) -> bytes:
    return der.sequence(der.tlv(PRINTABLE, text.encode()), der.octet_string(value))


@pytest.mark.parametrize(
    ("version", "change"),
    [
        (V1, {"header": [ia5("ES"), der.integer(4), ia5("V")]}),
        (V4, {"header": [ia5("ES"), der.integer(1), ia5("V")]}),
        (V4, {"header": [ia5("ES"), der.integer(6), ia5("V")]}),
        (V4, {"list_kind": der.integer(3)}),
        (V4, {"list_kind": der.integer(2)}),  # certificates where digests belong
        (V4, {"entries": [pair("SM3", bytes(32))]}),  # digests where certificates belong
        (V4, {"entries": [ia5("1")]}),
        (V4, {"kind": der.integer(-1)}),
        (V4, {"kind": der.integer(1 << 31)}),
        (V4, {"picture": [ia5("PNG"), der.octet_string(b"x"), der.integer(-40), der.integer(40)]}),
        (V4, {"name": der.tlv(UTF8, "印章".encode("gbk"))}),
        (V4, {"times": [generalized("20261301000000Z")] * 3}),
        (V4, {"times": [generalized()] * 2}),
        (V4, {"extensions": der.tlv(TAGGED, b"")}),
        (V4, {"extensions": der.sequence(der.sequence(der.oid("1.2.3"), b"\x01\x01\x01", der.octet_string(b"")))}),
        (V4, {"behind": der.integer(1)}),
        (V4, {"entries": [der.octet_string(b"")] * 1001}),
    ],
)
def test_what_no_seal_can_be(version: SealVersion, change: dict[str, Any]) -> None:
    encoded = Parts(version, **change).encoded()
    with pytest.raises(MalformedInput):
        read_seal(encoded)


def test_a_seal_of_one_structure_in_a_signature_of_the_other() -> None:
    owner = circle_of("sm2").organisation
    named = der.octet_string(owner.certificate.der) + der.oid(oids.SM2_WITH_SM3)
    value = der.bit_string(b"")
    time, digest = der.bit_string(b""), der.bit_string(bytes(32))
    early = der.sequence(der.integer(1), Parts(V4).encoded(), time, digest, ia5("x"), named)
    later = der.sequence(der.integer(4), Parts(V1).encoded(), generalized(), digest, ia5("x"))
    for data in (der.sequence(early, value), der.sequence(later, named, value)):
        with pytest.raises(MalformedInput, match="inside a signature of another version"):
            read_seal_signature(data)


def test_octets_behind_a_seal_and_lengths_that_are_not_der() -> None:
    data = Parts(V4).encoded()
    body = data[4:]
    indefinite, long = b"\x30\x80" + body + b"\x00\x00", b"\x30\x83" + len(body).to_bytes(3, "big") + body
    for bad in (data + b"\x00", b"\x00" + data, data[:-1], indefinite, long, b"", b"\x30\x00"):
        with pytest.raises(MalformedInput):
            read_seal(bad)


def test_a_seal_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    from signer.seals import reading

    data = Parts(V4).encoded()
    monkeypatch.setattr(reading, "MAX_SIZE", len(data) - 1)
    with pytest.raises(MalformedInput, match="more than"):
        read_seal(data)


def test_a_certificate_is_listed_octet_for_octet() -> None:
    certificate = circle_of("sm2").organisation.certificate.der
    seal = Parts(V4).read()
    assert seal.lists(certificate) == "certificate"
    for other in (certificate[:-1] + bytes([certificate[-1] ^ 1]), certificate + b"\x00", certificate[:-1], b""):
        assert seal.lists(other) is None


# Lists of digests -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "digest", "listed"),
    [
        (oids.SM3, "sm3", True),
        ("SM3", "sm3", True),
        ("sm3", "sm3", True),
        ("SHA-256", "sha256", True),
        ("SHA256", "sha256", True),
        ("SHA_512", "sha512", True),
        (oids.STREEBOG256, "streebog256", True),
        ("cert", "sm3", True),  # "self-defined" in the text: equal to a strong digest is proof enough
        ("1", "sha384", True),
        ("SHA3-256", "sha3-256", True),
        ("SM3", "sha256", False),  # the type says SM3
        ("SHA1", "sha1", False),  # too weak to stand for a certificate
        ("1", "sha1", False),
    ],
)
def test_a_digest_stands_for_a_certificate(text: str, digest: str, listed: bool) -> None:
    certificate = circle_of("sm2").organisation.certificate.der
    entry = pair(text, suites.digest(digest, certificate))
    seal = Parts(V4, list_kind=der.integer(2), entries=[entry]).read()
    assert seal.certificate_digests == (CertificateDigest(text, suites.digest(digest, certificate)),)
    assert seal.lists(certificate) == ("digest" if listed else None)
    assert seal.lists(certificate + b"\x00") is None


def test_a_digest_that_cannot_be_computed_is_not_called_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise BackendUnavailable("no library")

    monkeypatch.setattr("certs.suites.backends.gost_digests", missing)
    with pytest.raises(BackendUnavailable):
        CertificateDigest("Streebog256", bytes(32)).of(b"certificate")


# Octets in, the same octets out ---------------------------------------------------------------------------------------
def again(seal: Seal) -> bytes:
    """Write a seal anew from what was read."""
    info = writing.seal_info(
        version=seal.version,
        vendor=seal.vendor,
        seal_id=seal.seal_id,
        kind=seal.type,
        name=seal.name,
        certificates=seal.certificates,
        certificate_digests=seal.certificate_digests,
        created=seal.created,
        valid_from=seal.valid_from,
        valid_to=seal.valid_to,
        picture=seal.picture,
        extensions=seal.extensions,
    )
    assert writing.seal_to_sign(seal.version, info, seal.maker, seal.signature_algorithm) == seal.tbs
    return writing.seal(seal.version, info, seal.maker, seal.signature_algorithm, seal.signature, seal.time_stamp)


def signed_again(found: SealSignature) -> bytes:
    tbs = writing.signature_to_sign(
        found.version,
        seal=again(found.seal),
        time_info=found.time_info,
        data_hash=found.data_hash,
        property_info=found.property_info,
        extensions=found.extensions,
        certificate=found.certificate,
        algorithm=found.signature_algorithm,
    )
    return writing.signature(
        found.version, tbs, found.certificate, found.signature_algorithm, found.signature, found.time_stamp
    )


@pytest.mark.corpus
def test_every_seal_of_others_is_written_again_octet_for_octet(corpus: Path) -> None:
    for name, data in files.seals(corpus).items():
        assert again(read_seal(data)) == data, name
    for name, data in files.signatures(corpus).items():
        assert signed_again(read_seal_signature(data)) == data, name


ascii_text = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40)
any_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
numbers = st.integers(0, (1 << 31) - 1)
octet_strings = st.binary(max_size=60)
first, last = datetime(1950, 1, 1), datetime(2049, 12, 31)  # noqa: DTZ001 - hypothesis wants bounds without a zone
moments = st.datetimes(first, last, timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))
extension_lists = st.lists(
    st.builds(
        SealExtension,
        st.sampled_from(["1.2.3", "2.25.0", oids.SEAL_FILING_NUMBER]),
        st.booleans(),
        octet_strings,
    ),
    max_size=3,
)


@st.composite
def encoded_seals(draw: st.DrawFn) -> bytes:
    version = draw(st.sampled_from(list(SealVersion)))
    digests = draw(st.booleans()) and version != V1
    info = writing.seal_info(
        version=version,
        vendor=draw(ascii_text),
        seal_id=draw(ascii_text),
        kind=draw(numbers),
        name=draw(any_text),
        certificates=() if digests else draw(st.lists(octet_strings, max_size=3)),
        certificate_digests=draw(
            st.lists(st.builds(CertificateDigest, ascii_text, octet_strings), min_size=1, max_size=3)
        )
        if digests
        else (),
        created=draw(moments),
        valid_from=draw(moments),
        valid_to=draw(moments),
        picture=draw(st.builds(SealPicture, ascii_text, octet_strings, numbers, numbers)),
        extensions=draw(extension_lists),
    )
    stamp = draw(st.none() | octet_strings) if version == V5 else None
    return writing.seal(version, info, draw(octet_strings), oids.SM2_WITH_SM3, draw(octet_strings), stamp)


@settings(max_examples=150, deadline=None)
@given(encoded_seals())
def test_whatever_is_written_is_read_and_written_again(data: bytes) -> None:
    seal = read_seal(data)
    assert seal.variants == ()
    assert again(seal) == data


@settings(max_examples=100, deadline=None)
@given(encoded_seals(), st.data())
def test_a_signature_over_whatever_is_written(data: bytes, more: st.DataObject) -> None:
    seal = read_seal(data)
    early = seal.version == V1
    tbs = writing.signature_to_sign(
        seal.version,
        seal=data,
        time_info=more.draw(octet_strings) if early else b"20261121100000Z",
        data_hash=more.draw(octet_strings),
        property_info=more.draw(ascii_text),
        extensions=() if early else more.draw(extension_lists),
        certificate=more.draw(octet_strings),
        algorithm=oids.ED25519,
    )
    stamp = None if early else more.draw(st.none() | octet_strings)
    certificate = octet_strings if not early else st.just(b"")
    whole = writing.signature(seal.version, tbs, more.draw(certificate), oids.ED25519, b"value", stamp)
    found = read_seal_signature(whole)
    assert (found.seal, found.version) == (seal, seal.version)
    assert signed_again(found) == whole


def sample(version: SealVersion) -> bytes:
    circle = circle_of("sm2")
    return sign_with_seal(
        seal_of("sm2", version),
        circle.organisation.key,
        circle.organisation.certificate,
        data_hash=bytes(32),
        property_info=PROPERTY,
        time=NOW,
    ).der


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(SealVersion)), st.data())
def test_octets_that_were_changed_are_read_or_malformed_and_nothing_else(
    version: SealVersion, more: st.DataObject
) -> None:
    whole = sample_of[version]
    data = bytearray(whole)
    for _ in range(more.draw(st.integers(1, 4))):
        data[more.draw(st.integers(0, len(data) - 1))] = more.draw(st.integers(0, 255))
    cut = more.draw(st.none() | st.integers(0, len(data)))
    for reader in (read_seal, read_seal_signature):
        try:
            found = reader(bytes(data[:cut]))
        except MalformedInput:
            continue
        assert found.der == bytes(data[:cut])


class _Samples(dict[SealVersion, bytes]):
    def __missing__(self, version: SealVersion) -> bytes:
        self[version] = sample(version)
        return self[version]


sample_of = _Samples()


@pytest.mark.parametrize("version", list(SealVersion))
def test_a_signature_cut_anywhere_is_malformed(version: SealVersion) -> None:
    whole = sample_of[version]
    for stop in range(len(whole)):
        with pytest.raises(MalformedInput):
            read_seal_signature(whole[:stop])
