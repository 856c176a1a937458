"""Attacks on envelopes: another name as the sender, other content for one family, an oracle for somebody's mail."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from certs import canonical, der, enveloped, suites
from certs.certificate import Certificate
from certs.enveloped import encrypt_bytes
from certs.errors import DecryptionFailed, SealroadError
from certs.recipient_info import encode
from certs.signed_data import build_signed_data
from certs.sink import MemorySink
from certs.suites import content
from certs.suites.base import Family
from signer.cms import sign_detached
from signer.encryption import commands, envelope
from signer.encryption.envelope import Sender, seal
from signer.encryption.measured import Measured, measured
from signer.report import Verdict
from tests.certs.post import mailbox
from tests.conftest import CLOCK, NOW, Circle, circle_of, make_pdf
from tests.signer.signing import sign
from tests.signer.test_envelope import SENDERS, TEXT, entries, opened, packed, refused, sealed, sender, trust

OTHER = TEXT.replace(b"100 000", b"900 000")
assert len(OTHER) == len(TEXT)


# Whose it is said to be ----------------------------------------------------------------------------------------------
def claiming(suite_name: str, named: Certificate, signature: Callable[[bytes], bytes], subject: str = "") -> bytes:
    """Return an envelope that names a certificate as its sender's, with whatever stands for his signature."""
    family = suites.get(suite_name).family
    some = {name: octets for name, octets in entries(sealed(TEXT, ("sm2",), ("sm2",))).items() if name[-4:] != ".p7s"}
    value = canonical.decode(some["manifest.json"])
    item = {"family": family.value, "certificate": named.fingerprint(), "subject": subject or named.subject}
    some["manifest.json"] = canonical.encode(value | {"senders": [item]})
    return packed(some | {f"manifest.{family}.p7s": signature(some["manifest.json"])})


def statements(circle: Circle) -> Iterator[tuple[Certificate, Callable[[bytes], bytes]]]:
    """Yield what anybody may have of somebody, each of it right for itself."""
    person, office = circle.person, circle.organisation
    for crl in circle.crls:
        for authority in (circle.root, circle.issuing):
            yield authority, lambda _, crl=crl: crl.der
    for authority in (circle.root, circle.issuing):
        yield authority, lambda _: person.certificate.der
    yield office.certificate, lambda _: sign(make_pdf(), circle.suite_name)
    yield circle.tsa.certificate, lambda octets: circle.timestamper.stamp("sha256", suites.digest("sha256", octets))
    signed: dict[str, Any] = {"chain": (circle.issuing,), "signing_time": NOW}
    yield person.certificate, lambda _: build_signed_data(b"x", person.key, person.certificate, **signed)
    yield person.certificate, lambda _: build_signed_data(b"x", person.key, person.certificate, detached=True, **signed)
    # on the very manifest, and with it inside: our verifier would take either, and others may read the inner one
    yield person.certificate, lambda octets: build_signed_data(octets, person.key, person.certificate, **signed)


@pytest.mark.parametrize("suite_name", SENDERS.values())
def test_what_somebody_signed_elsewhere_makes_him_no_sender(suite_name: str) -> None:
    """A revocation list, a time-stamp, a signed PDF: TOTAL-PASSED each for itself, and not on the manifest."""
    circle = circle_of(suite_name)
    for named, signature in statements(circle):
        assert refused(claiming(suite_name, named, signature), "sm2", trust(suite_name)) == "signature"


def envelope_by(*senders: Sender) -> bytes:
    sink = MemorySink()
    seal(io.BytesIO(TEXT), sink, [mailbox("sm2").certificate], senders, clock=CLOCK, name="a.pdf")
    return sink.data or b""


def test_the_senders_name_is_his_certificates_and_not_what_the_manifest_says() -> None:
    signer = sender("sm2")

    def right(octets: bytes) -> bytes:
        return sign_detached(io.BytesIO(octets), signer.key, signer.certificate, signer.chain, clock=CLOCK)

    data = claiming("sm2", signer.certificate, right, "C=CN, O=Bank of China")
    found = opened(data, "sm2")[1]
    assert found.sender is Verdict.TOTAL_PASSED
    assert found.sender_names == (signer.certificate.subject,)
    assert "Bank" not in commands._signers(found)


def test_a_sender_whom_nobody_vouches_for_does_not_share_in_the_verdict_of_another() -> None:
    data = envelope_by(sender("sm2"), sender("gost2012-256"))
    found = opened(data, "sm2", trust("sm2"))[1]
    assert (found.sender, found.sender_names) == (Verdict.TOTAL_PASSED, (sender("sm2").certificate.subject,))
    found = opened(data, "sm2", trust())[1]
    assert found.sender is Verdict.INDETERMINATE
    assert found.sender_names == (sender("sm2").certificate.subject, sender("gost2012-256").certificate.subject)


# Something else for one family ---------------------------------------------------------------------------------------
def mixed(first: Measured, other: Measured, *families: Family) -> Measured:
    """Return digests that are partly of other octets."""
    from signer.encryption.measured import DIGESTS

    return Measured(first.size, {**first.digests, **{DIGESTS[item]: other.digests[DIGESTS[item]] for item in families}})


@pytest.mark.parametrize("victim", list(Family))
def test_a_sender_whose_digests_are_of_different_contents_is_caught_by_everybody(
    victim: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each family finds its own digest right: that of the others has to be right too."""
    true, of = envelope.write_enveloped, envelope.About.of

    def cheating(reader: Any, write: Any, recipients: Any, **options: Any) -> None:
        if enveloped.family_of(recipients) is victim:
            reader.read()
            reader = io.BytesIO(OTHER)
        true(reader, write, recipients, **options)

    monkeypatch.setattr(envelope, "write_enveloped", cheating)
    monkeypatch.setattr(
        envelope.About, "of", lambda name, whole: of(name, mixed(measured(TEXT), measured(OTHER), victim))
    )
    data = sealed()
    for suite_name in SENDERS.values():
        assert refused(data, suite_name) == "content"


@pytest.mark.parametrize("victim", list(Family))
def test_a_sender_who_promises_each_family_another_description_is_caught_by_everybody(
    victim: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digests of about.json in the manifest: partly of the one that describes the other content."""
    true = envelope.write_enveloped
    one, two = (envelope.About.of("a.pdf", measured(text)) for text in (TEXT, OTHER))

    def cheating(reader: Any, write: Any, recipients: Any, **options: Any) -> None:
        if enveloped.family_of(recipients) is victim:
            reader.read()
            reader = io.BytesIO(OTHER)
        true(reader, write, recipients, **options)

    def told(data: bytes, recipients: Any, *, cipher: str, **options: Any) -> bytes:
        return encrypt_bytes(
            (two if enveloped.family_of(recipients) is victim else one).encode(), recipients, cipher=cipher, **options
        )

    def promised(data: bytes, *families: Family) -> Measured:
        return (
            mixed(measured(data), measured(two.encode()), victim) if data == one.encode() else measured(data, *families)
        )

    monkeypatch.setattr(envelope, "write_enveloped", cheating)
    monkeypatch.setattr(envelope, "encrypt_bytes", told)
    monkeypatch.setattr(envelope, "measured", promised)
    monkeypatch.setattr(envelope.About, "of", lambda name, whole: one)
    data = sealed()
    for suite_name in SENDERS.values():
        assert refused(data, suite_name) == "about"


# Mail of other people ------------------------------------------------------------------------------------------------
def wrapping(suite_name: str, ciphertext: bytes, place: str) -> bytes:
    """Return an envelope of a stranger's own, with a message that is not his in one of its places."""
    family = suites.get(suite_name).family
    some = entries(sealed(b"guess", (suite_name,), ("ed25519",)))
    some[place] = ciphertext
    value = canonical.decode(some["manifest.json"])
    value["parts"][0]["about" if "about" in place else "content"] = measured(ciphertext).to_json()
    some["manifest.json"] = canonical.encode(value)
    signer = sender("ed25519")
    some["manifest.international.p7s"] = sign_detached(
        io.BytesIO(some["manifest.json"]), signer.key, signer.certificate, clock=CLOCK
    )
    assert f"{family}.p7m" in some
    return packed(some)


def in_cbc(suite_name: str, text: bytes) -> bytes:
    """Return a message by a cipher with padding and nothing that authenticates, as others write it."""
    name = "sm4-cbc" if suite_name == "sm2" else "aes-256-cbc"
    cipher, box = content.for_name(name), mailbox(suite_name)
    key, out = bytes(range(cipher.key_size)), io.BytesIO()
    wrapped = box.key.public_key.wrap_key(key, content.default(box.key.suite.family).name)
    infos = [encode(box.certificate, wrapped)]
    enveloped._write(io.BytesIO(text), out.write, infos, key, cipher, der.octet_string(bytes(16)), len(text))
    return out.getvalue()


@pytest.mark.parametrize("place", ["", ".about"])
@pytest.mark.parametrize("suite_name", ["rsa", "ecdsa-p256", "sm2"])
def test_an_envelope_is_no_oracle_for_the_padding_of_a_message_of_somebody_else(suite_name: str, place: str) -> None:
    """Whoever asks with one octet changed must not see whether what came out ended in a right padding."""
    family = suites.get(suite_name).family
    message = in_cbc(suite_name, b"a secret, and ten")
    answers: set[Any] = set()
    for octet in (0, *range(32, 256, 32), 14):  # 14 makes the last octet of padding 01
        changed = message[:-17] + bytes((message[-17] ^ octet,)) + message[-16:]
        box, sink = mailbox(suite_name), MemorySink()
        try:
            enveloped.decrypt(io.BytesIO(changed), sink, box.key, box.certificate)
        except DecryptionFailed:
            answers.add("bad padding")
        else:
            answers.add("good padding")
        data = wrapping(suite_name, changed, f"{family}{place}.p7m")
        with pytest.raises(SealroadError) as caught:
            opened(data, suite_name, trust())
        answers.add((caught.value.code, str(caught.value), caught.value.hint, str(caught.value.facts)))
    assert {"bad padding", "good padding"} < answers
    assert len(answers) == 3, answers
