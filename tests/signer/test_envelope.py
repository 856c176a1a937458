"""Envelopes: every family opens its own part, and notices whatever was done to the others."""

from __future__ import annotations

import hashlib
import io
import random
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs import canonical, der, files, oids, suites
from certs.enveloped import encrypt_bytes
from certs.errors import (
    CertsError,
    MalformedInput,
    NotARecipient,
    SealroadError,
    UnsupportedAlgorithm,
)
from certs.signed_data import parse_signed_data
from certs.sink import MemorySink
from certs.suites.base import Family
from certs.trust import TrustStore
from signer.cms import sign_detached
from signer.encryption import envelope
from signer.encryption.envelope import Sender, assemble, prepare, seal, sign_manifest
from signer.encryption.manifest import Named, read_manifest
from signer.encryption.measured import DIGESTS, measured
from signer.encryption.opening import OpenedEnvelope, open_envelope
from signer.errors import EnvelopeRefused, OptionError
from signer.report import Verdict
from tests.certs.mutation import damage
from tests.certs.post import mailbox
from tests.conftest import CLOCK, circle_of

TEXT = "合同 𠮷: the price is 100 000; цена 100 000".encode() * 20
NAME = "合同-договор.pdf"
SENDERS = {"international": "ecdsa-p256", "china": "sm2", "russia": "gost2012-256"}
RECIPIENTS = ("rsa", "ecdsa-p256", "x25519", "ml-kem-1024", "sm2", "gost2012-256", "gost2012-512")


def sender(suite_name: str) -> Sender:
    circle = circle_of(suite_name)
    return Sender(circle.person.key, circle.person.certificate, (circle.issuing,))


def trust(*names: str) -> TrustStore:
    store = TrustStore()
    for name in names:
        store = store.with_((circle_of(name).root,), circle_of(name).crls)
    return store


def sealed(
    text: bytes = TEXT, recipients: tuple[str, ...] = RECIPIENTS, senders: tuple[str, ...] = tuple(SENDERS.values())
) -> bytes:
    sink = MemorySink()
    certificates = [mailbox(name).certificate for name in recipients]
    seal(io.BytesIO(text), sink, certificates, [sender(name) for name in senders], clock=CLOCK, name=NAME)
    assert sink.data is not None
    return sink.data


@cache
def package() -> bytes:
    return sealed()


def opened(data: bytes, suite_name: str, store: TrustStore | None = None) -> tuple[bytes, OpenedEnvelope]:
    box, sink = mailbox(suite_name), MemorySink()
    store = store or trust(SENDERS[suites.get(suite_name).family])
    try:
        found = open_envelope(io.BytesIO(data), sink, box.key, box.certificate, trust=store, clock=CLOCK)
    except SealroadError:
        assert sink.data is None
        raise
    assert sink.data is not None
    return sink.data, found


def entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(some: dict[str, bytes], **options: Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **options) as archive:
        for name, octets in some.items():
            archive.writestr(name, octets)
    return out.getvalue()


def refused(data: bytes, suite_name: str, store: TrustStore | None = None) -> str:
    with pytest.raises(EnvelopeRefused) as caught:
        opened(data, suite_name, store)
    assert caught.value.code == "envelope-refused"
    assert caught.value.hint
    return str(caught.value.facts["reason"])


# There and back ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite_name", RECIPIENTS)
def test_every_recipient_opens_his_own_part_and_believes_a_sender_of_his_own_algorithms(suite_name: str) -> None:
    text, found = opened(package(), suite_name)
    assert text == TEXT
    assert (found.about.name, found.about.content.size) == (NAME, len(TEXT))
    assert found.about.content.digests == {name: suites.digest(name, TEXT).hex() for name in DIGESTS.values()}
    assert found.sender is Verdict.TOTAL_PASSED
    verdicts = {family.value: report.verdict for family, report in found.signatures}
    ours = suites.get(suite_name).family.value
    assert verdicts.pop(ours) is Verdict.TOTAL_PASSED
    assert set(verdicts.values()) == {Verdict.INDETERMINATE}  # other families' authorities are not known here


def test_the_manifest_names_everybody_and_every_part() -> None:
    parts = entries(package())
    manifest = read_manifest(parts["manifest.json"])
    assert [part.family for part in manifest.parts] == list(Family)
    named = [item.certificate for part in manifest.parts for item in part.recipients]
    assert named == [mailbox(name).certificate.fingerprint() for name in RECIPIENTS]
    for part in manifest.parts:
        assert part.content == measured(parts[f"{part.family}.p7m"])
        assert part.about == measured(parts[f"{part.family}.about.p7m"])
    assert [named.certificate for _, named in manifest.senders] == [
        sender(name).certificate.fingerprint() for name in SENDERS.values()
    ]


def test_a_stranger_learns_neither_name_nor_digests_of_the_content() -> None:
    """Whoever guesses what a contract says could try it out against a digest."""
    everything = b"".join(entries(package()).values())
    assert NAME.encode() not in everything
    for name in DIGESTS.values():
        digest = suites.digest(name, TEXT)
        assert digest not in everything
        assert digest.hex().encode() not in everything
    one, two = (read_manifest(entries(item)["manifest.json"]) for item in (package(), sealed()))
    assert one.about.digests["sha256"] != two.about.digests["sha256"]


@pytest.mark.parametrize("suite_name", ["rsa", "sm2", "gost2012-512"])
@pytest.mark.parametrize("sender_name", ["ecdsa-p256", "ed25519", "sm2", "gost2012-512"])
def test_one_sender_of_any_suite_is_enough(suite_name: str, sender_name: str) -> None:
    data = sealed(b"", (suite_name,), (sender_name,))
    text, found = opened(data, suite_name, trust(sender_name))
    assert (text, found.sender) == (b"", Verdict.TOTAL_PASSED)
    assert opened(data, suite_name, TrustStore())[1].sender is Verdict.INDETERMINATE


def test_without_the_certificate_the_key_alone_opens_it() -> None:
    sink = MemorySink()
    open_envelope(io.BytesIO(package()), sink, mailbox("sm2").key, trust=trust("sm2"), clock=CLOCK)
    assert sink.data == TEXT


def test_another_cipher_can_be_chosen_for_a_family() -> None:
    box, sink = mailbox("sm2"), MemorySink()
    ciphers = {Family.CHINA: "sm4-gcm"}
    manifest = seal(io.BytesIO(TEXT), sink, [box.certificate], [sender("sm2")], clock=CLOCK, name=NAME, ciphers=ciphers)
    assert [part.cipher for part in manifest.parts] == ["sm4-gcm"]
    assert opened(sink.data or b"", "sm2")[0] == TEXT


# Refused to seal -----------------------------------------------------------------------------------------------------
def sealing(text: Any, recipients: list[str], senders: list[Sender]) -> None:
    sink = MemorySink()
    boxes = [mailbox(name).certificate for name in recipients]
    seal(text if hasattr(text, "read") else io.BytesIO(text), sink, boxes, senders, clock=CLOCK, name=NAME)


def test_without_sender_or_recipient_or_with_the_wrong_certificate_nothing_is_sealed() -> None:
    with pytest.raises(OptionError, match="at least one sender"):
        sealing(TEXT, ["sm2"], [])
    with pytest.raises(OptionError, match="one family"):
        sealing(TEXT, ["sm2"], [sender("rsa"), sender("ecdsa-p256")])
    with pytest.raises(OptionError, match="does not belong"):
        sealing(TEXT, ["sm2"], [Sender(sender("rsa").key, sender("sm2").certificate)])
    with pytest.raises(UnsupportedAlgorithm, match="at least one recipient"):
        sealing(TEXT, [], [sender("sm2")])


class Changing(io.BytesIO):
    """A file that somebody writes to between two passes."""

    passes = 0

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() == 0:
            self.passes += 1
        data = super().read(size)
        return data.replace(b"100", b"900") if self.passes > 1 else data


def test_content_that_changes_between_two_families_is_noticed() -> None:
    with pytest.raises(MalformedInput, match="changed"):
        sealing(Changing(TEXT), ["rsa", "sm2"], [sender("sm2")])


# Tampered ------------------------------------------------------------------------------------------------------------
PARTS = [f"{family}{kind}.p7m" for family in SENDERS for kind in ("", ".about")]


@pytest.mark.parametrize("suite_name", ["rsa", "sm2", "gost2012-256"])
@pytest.mark.parametrize("name", PARTS)
def test_one_bit_of_any_part_is_noticed_by_every_family(name: str, suite_name: str) -> None:
    some = entries(package())
    middle = len(some[name]) // 2
    some[name] = some[name][:middle] + bytes((some[name][middle] ^ 1,)) + some[name][middle + 1 :]
    assert refused(packed(some), suite_name) == "part"


@pytest.mark.parametrize("suite_name", ["rsa", "sm2", "gost2012-256"])
def test_another_familys_part_replaced_by_other_content_is_noticed(suite_name: str) -> None:
    for victim in ("ecdsa-p256", "sm2", "gost2012-256"):
        some = entries(package())
        some[f"{suites.get(victim).family}.p7m"] = encrypt_bytes(b"the price is 900", [mailbox(victim).certificate])
        assert refused(packed(some), suite_name) == "part"


def forged_manifest(change: Callable[[dict[str, Any]], None], *, resign: bool) -> bytes:
    some = entries(package())
    value = canonical.decode(some["manifest.json"])
    change(value)
    some["manifest.json"] = canonical.encode(value)
    if resign:
        for family, name in SENDERS.items():
            signer = sender(name)
            stream = io.BytesIO(some["manifest.json"])
            some[f"manifest.{family}.p7s"] = sign_detached(stream, signer.key, signer.certificate, clock=CLOCK)
    return packed(some)


def test_a_changed_manifest_is_noticed_by_its_signatures() -> None:
    def without(value: dict[str, Any]) -> None:
        value["parts"][0]["recipients"].pop()

    for suite_name in ("rsa", "sm2", "gost2012-256"):
        assert refused(forged_manifest(without, resign=False), suite_name) == "signature"


def test_a_signature_cannot_be_left_out_or_made_by_somebody_else() -> None:
    some = entries(package())
    del some["manifest.russia.p7s"]
    assert refused(packed(some), "sm2") == "container"
    some = entries(package())
    other = circle_of("sm2").organisation
    stream = io.BytesIO(some["manifest.json"])
    some["manifest.china.p7s"] = sign_detached(stream, other.key, other.certificate, clock=CLOCK)
    for suite_name in ("sm2", "rsa"):
        assert refused(packed(some), suite_name, trust("sm2", "ecdsa-p256")) == "signature"
    some["manifest.china.p7s"] = some["manifest.international.p7s"]
    assert refused(packed(some), "sm2") == "signature"
    for junk in (b"", b"\x30\x00", bytes(100), mailbox("sm2").certificate.der):
        some["manifest.china.p7s"] = junk
        assert refused(packed(some), "sm2") == "signature"


def test_a_signature_by_an_algorithm_that_nobody_computes_is_not_enough() -> None:
    """It is INDETERMINATE as one of an unknown authority is; but nothing says that it is right."""
    some = entries(sealed(TEXT, ("sm2",), ("ecdsa-p256",)))
    known, unknown = der.oid(oids.ECDSA_SHA256), der.oid("1.2.840.10045.4.3.127")
    place = some["manifest.international.p7s"].rindex(known)
    signature = some["manifest.international.p7s"]
    some["manifest.international.p7s"] = signature[:place] + unknown + signature[place + len(known) :]
    assert refused(packed(some), "sm2", trust("ecdsa-p256")) == "signature"


def test_a_whole_envelope_made_by_a_stranger_opens_without_a_believed_sender() -> None:
    stranger = circle_of("ecdsa-p384").organisation
    sink = MemorySink()
    senders = [Sender(stranger.key, stranger.certificate)]
    seal(io.BytesIO(TEXT), sink, [mailbox("sm2").certificate], senders, clock=CLOCK, name=NAME)
    assert opened(sink.data or b"", "sm2")[1].sender is Verdict.INDETERMINATE


def test_a_sender_who_gives_one_family_other_content_is_caught_by_that_family(monkeypatch: pytest.MonkeyPatch) -> None:
    true = envelope.write_enveloped

    def cheating(reader: Any, write: Any, recipients: Any, **options: Any) -> None:
        if options["cipher"] == "sm4-cbc":
            reader.read()
            reader = io.BytesIO(TEXT.replace(b"100 000", b"900 000"))
        true(reader, write, recipients, **options)

    monkeypatch.setattr(envelope, "write_enveloped", cheating)
    data = sealed()
    assert refused(data, "sm2") == "content"
    assert opened(data, "rsa")[0] == opened(data, "gost2012-256")[0] == TEXT


def test_a_sender_who_says_something_else_to_one_family_is_caught_by_that_family(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cheating(data: bytes, recipients: Any, *, cipher: str, **options: Any) -> bytes:
        if cipher == "sm4-cbc":
            data = data.replace(hashlib.sha256(TEXT).hexdigest().encode(), b"0" * 64)
        return encrypt_bytes(data, recipients, cipher=cipher, **options)

    monkeypatch.setattr(envelope, "encrypt_bytes", cheating)
    data = sealed()
    assert refused(data, "sm2") == "about"
    assert opened(data, "rsa")[0] == TEXT


# Not for us ----------------------------------------------------------------------------------------------------------
def test_who_is_not_named_is_no_recipient() -> None:
    data = sealed(TEXT, ("rsa", "sm2"), ("sm2",))
    for name, number in (("gost2012-256", 0), ("rsa", 1), ("ecdsa-p256", 0)):
        box, sink = mailbox(name, number), MemorySink()
        with pytest.raises(NotARecipient):
            open_envelope(io.BytesIO(data), sink, box.key, box.certificate, trust=trust("sm2"), clock=CLOCK)
        assert sink.data is None


def test_another_key_with_our_certificate_decrypts_nothing() -> None:
    with pytest.raises(EnvelopeRefused, match="does not decrypt"):
        open_envelope(
            io.BytesIO(package()),
            MemorySink(),
            mailbox("sm2", 1).key,
            mailbox("sm2").certificate,
            trust=trust("sm2"),
            clock=CLOCK,
        )


# The container -------------------------------------------------------------------------------------------------------
def test_a_container_that_is_not_exactly_ours_is_refused() -> None:
    some = entries(package())
    broken = {
        "cut short": package()[:-1],
        "something behind": package() + b"\0",
        "nothing": b"",
        "no ZIP": bytes(1000),
        "a comment": package()[:-2] + b"\x04\0abcd",
        "a comment that is not there": package()[:-2] + b"\x04\0",
        "deflated": packed(some, compression=zipfile.ZIP_DEFLATED),
        "an entry more": packed(some | {"china.exe": b"MZ"}),
        "a part more": packed(some | {"manifest.json.p7s": b""}),
        "an entry less": packed({name: octets for name, octets in some.items() if name != "russia.about.p7m"}),
        "a path": packed(some | {"../manifest.json": b"{}"}),
        "no manifest": packed({name: octets for name, octets in some.items() if name != "manifest.json"}),
        "many entries": packed({f"{number}": b"" for number in range(2000)}),
    }
    for what, data in broken.items():
        assert refused(data, "sm2") in ("container", "manifest"), what


def test_an_entry_that_the_manifest_does_not_name_is_refused() -> None:
    some = entries(sealed(TEXT, ("sm2",), ("sm2",)))
    for name in ("russia.p7m", "international.about.p7m", "manifest.russia.p7s"):
        assert refused(packed(some | {name: b"\x30\x00"}), "sm2") == "container"


def test_a_large_directory_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = packed({f"{number}": b"" for number in range(17)})
    bloated = packed({"china.p7m": b""})
    with zipfile.ZipFile(io.BytesIO(bloated)) as archive:
        start = archive.start_dir
    # the directory's length in the record at the end, as if it began with the file
    bloated = bytes(1 << 17) + bloated[:-10] + (len(bloated) - start + (1 << 17)).to_bytes(4, "little") + bloated[-6:]
    monkeypatch.setattr(zipfile, "ZipFile", None)
    for item in (data, bloated):
        assert refused(item, "sm2") == "container"


def test_more_than_4_gib_are_written_and_read_as_zip64(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the limit set down to a kilobyte, so that nobody has to write 4 GiB."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    data = sealed(TEXT, ("rsa", "sm2"), ("sm2",))
    assert data[-42:-38] == b"PK\x06\x07"
    assert opened(data, "sm2")[0] == TEXT
    monkeypatch.setattr(zipfile, "ZipFile", None)
    record = len(data) - 22 - 20 - 56
    for place in (record + 32, record + 40):  # the entries, and the octets of the directory
        forged = data[:place] + (1 << 30).to_bytes(8, "little") + data[place + 8 :]
        assert refused(forged, "sm2") == "container"


def test_an_entry_that_stands_twice_is_refused() -> None:
    out = io.BytesIO(package())
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("china.p7m", b"")
    assert refused(out.getvalue(), "sm2") == "container"


def test_damage_anywhere_in_the_container_never_gives_wrong_content() -> None:
    data = sealed(TEXT[:64], ("sm2",), ("sm2",))
    for position in range(0, len(data), 29):
        broken = data[:position] + bytes((data[position] ^ (1 << position % 8),)) + data[position + 1 :]
        try:
            assert opened(broken, "sm2")[0] == TEXT[:64]
        except (EnvelopeRefused, CertsError):
            continue


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(schema="sealroad.envelope/2"),
        lambda value: value.update(more=1),
        lambda value: value.pop("created"),
        lambda value: value.update(created="yesterday"),
        lambda value: value.update(parts=[]),
        lambda value: value.update(parts="x"),
        lambda value: value.update(senders=[]),
        lambda value: value["parts"].append(value["parts"][0]),
        lambda value: value["senders"].append(value["senders"][0]),
        lambda value: value["parts"][0].update(family="atlantis"),
        lambda value: value["parts"][0].update(family=["china"]),
        lambda value: value["parts"][0]["content"].update(size=-1),
        lambda value: value["parts"][0]["content"].update(size=True),
        lambda value: value["parts"][0]["content"]["digests"].pop("sm3"),
        lambda value: value["parts"][0]["content"]["digests"].update(sm3="AB" * 32),
        lambda value: value["parts"][0]["recipients"][0].update(subject=1),
        lambda value: value["parts"][0].update(cipher="x" * 5000),
    ],
)
def test_a_manifest_that_is_not_exactly_as_we_write_it_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    assert refused(forged_manifest(change, resign=True), "sm2") == "manifest"


def test_a_manifest_in_another_spelling_is_refused() -> None:
    some = entries(package())
    some["manifest.json"] = some["manifest.json"].replace(b'{"', b'{ "', 1)
    assert refused(packed(some), "sm2") == "manifest"


def test_a_disk_that_is_full_is_not_the_envelopes_fault() -> None:
    class Full(MemorySink):
        def write(self, data: bytes, /) -> None:
            raise OSError(28, "No space left on device")

    box = mailbox("sm2")
    with pytest.raises(OSError, match="No space"):
        open_envelope(io.BytesIO(package()), Full(), box.key, box.certificate, trust=trust("sm2"), clock=CLOCK)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_no_damage_makes_anything_else_happen_than_a_refusal(seed: int) -> None:
    """Octets changed, left out and doubled anywhere: our errors, or the very content."""
    for data in (package(), packed(entries(package()))):
        try:
            assert opened(damage(random.Random(seed), data), "sm2")[0] == TEXT
        except SealroadError:
            continue


def test_who_stops_while_sealing_or_opening_leaves_nothing_behind(tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int) -> None:
        raise Stopped

    box = mailbox("sm2")
    one, two = files.WholeFile(tmp_path / "one"), files.WholeFile(tmp_path / "two")
    with pytest.raises(Stopped):
        seal(io.BytesIO(TEXT), one, [box.certificate], [sender("sm2")], clock=CLOCK, name=NAME, progress=stop)
    with pytest.raises(Stopped):
        open_envelope(
            io.BytesIO(package()), two, box.key, box.certificate, trust=trust("sm2"), clock=CLOCK, progress=stop
        )
    assert list(tmp_path.iterdir()) == []


def test_progress_goes_up_over_all_families() -> None:
    seen: list[int] = []
    certificates = [mailbox(name).certificate for name in ("rsa", "sm2", "gost2012-256")]
    text = bytes(600_000)
    seal(io.BytesIO(text), MemorySink(), certificates, [sender("sm2")], clock=CLOCK, name=NAME, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 3 * len(text)


def test_a_manifest_names_people_only_for_people() -> None:
    certificate = mailbox("sm2").certificate
    assert Named.of(certificate).certificate == certificate.fingerprint()


# In three steps, and one part alone -----------------------------------------------------------------------------------
def in_steps(only: Family | None = None, suites_of_senders: tuple[str, ...] = tuple(SENDERS.values())) -> bytes:
    """Prepare, sign and put together; the same envelope every time."""
    octets, package = prepared_steps()
    signatures = {sender(name).family: sign_manifest(octets, sender(name)) for name in suites_of_senders}
    sink = MemorySink()
    assemble(io.BytesIO(package), sink, signatures, only=only)
    assert sink.data is not None
    return sink.data


@cache
def prepared_steps() -> tuple[bytes, bytes]:
    sink, certificates = MemorySink(), [mailbox(name).certificate for name in RECIPIENTS]
    senders = [sender(name).certificate for name in SENDERS.values()]
    octets = prepare(io.BytesIO(TEXT), sink, certificates, senders, clock=CLOCK, name=NAME)
    assert sink.data is not None
    return octets, sink.data


@pytest.mark.parametrize("suite_name", RECIPIENTS)
def test_what_was_prepared_and_signed_apart_opens_whole_and_as_one_part(suite_name: str) -> None:
    family = suites.get(suite_name).family
    for data, whole in ((in_steps(), True), (in_steps(family), False)):
        text, found = opened(data, suite_name)
        assert (text, found.whole, found.sender) == (TEXT, whole, Verdict.TOTAL_PASSED)
        assert found.manifest.encode() == prepared_steps()[0]
    others = {name for other in Family if other is not family for name in (f"{other}.p7m", f"{other}.about.p7m")}
    assert set(entries(in_steps())) - set(entries(in_steps(family))) == others


def test_what_was_prepared_is_no_envelope_before_it_is_signed() -> None:
    assert refused(prepared_steps()[1], "sm2") == "container"


def test_signing_the_same_manifest_again_signs_the_same_octets() -> None:
    octets = prepared_steps()[0]
    first, second = (parse_signed_data(sign_manifest(octets, sender("sm2"))).signers[0] for _ in range(2))
    assert first.signed_attributes == second.signed_attributes


def test_one_part_alone_has_nothing_of_another_and_lacks_nothing() -> None:
    some, whole = entries(in_steps(Family.CHINA)), entries(in_steps())
    for name in ("russia.p7m", "international.about.p7m"):
        assert refused(packed(some | {name: whole[name]}), "sm2") == "container"
    for name in ("china.p7m", "china.about.p7m", "manifest.russia.p7s"):
        assert refused(packed({key: value for key, value in some.items() if key != name}), "sm2") == "container"
    assert refused(in_steps(Family.RUSSIA), "sm2") == "container"


def test_a_signature_that_the_manifest_does_not_name_is_not_put_in_and_nothing_is_written() -> None:
    octets, package = prepared_steps()
    sink = MemorySink()
    with pytest.raises(OptionError, match="exactly the signatures"):
        assemble(io.BytesIO(package), sink, {Family.CHINA: sign_manifest(octets, sender("sm2"))})
    assert sink.data is None
