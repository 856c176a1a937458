"""A Bouncy Castle of today opens what we encrypt to X25519, X448 and ML-KEM keys, and we open what it encrypts.

Debian's is older than ML-KEM, and knows X25519 for TLS only.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from certs.enveloped import decrypt_bytes, encrypt_bytes, encrypt_seed
from certs.enveloped_view import EnvelopeView
from certs.suites import ENCRYPTION_NAMES
from tests.certs.post import mailbox
from tests.interop.programs import java_program, new_bouncy_castle_jars

pytestmark = pytest.mark.interop

TEXT = bytes(range(256)) * 300
SEED = bytes(range(24))
AGREEMENTS = [f"{scheme}/{text}" for scheme in ("hkdf256", "hkdf384", "hkdf512") for text in ("gcm", "cbc")]
AGREEMENTS.append("hkdf256+ukm/gcm")
MADE = [(name, way) for name in ("x25519", "x448") for way in AGREEMENTS]
MADE += [
    (name, f"{kdf}/{text}")
    for name in ("ml-kem-768", "ml-kem-1024")
    for kdf in ("hkdf256", "hkdf512")
    for text in ("gcm", "cbc")
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in which one run of Java has opened all of ours, and made all of its own."""
    desk = tmp_path_factory.mktemp("kem")
    (desk / "content").write_bytes(TEXT)
    jobs = []
    for name in ENCRYPTION_NAMES:
        box = mailbox(name)
        (desk / f"{name}.p8").write_bytes(box.key.pkcs8())
        (desk / f"{name}.cer").write_bytes(box.certificate.der)
        (desk / f"{name}.message").write_bytes(encrypt_bytes(TEXT, [box.certificate]))
        (desk / f"{name}.seed").write_bytes(encrypt_seed(SEED, [mailbox("rsa").certificate, box.certificate]))
        jobs += [
            ("open", f"{name}.{kind}", f"{name}.p8", f"{name}.cer", f"{name}.{kind}.out", "")
            for kind in ("message", "seed")
        ]
    for name, way in MADE:
        jobs.append(("make", made(name, way), f"{name}.p8", f"{name}.cer", "content", way))
    (desk / "jobs.tsv").write_text("".join("\t".join(job) + "\n" for job in jobs))
    outcome = java_program("Kem", new_bouncy_castle_jars()).run("jobs.tsv", cwd=desk)
    (desk / "said").write_text(outcome.text)
    return desk


def made(name: str, way: str) -> str:
    return f"{name}.{way.replace('/', '.')}.made"


@pytest.mark.parametrize("suite_name", ENCRYPTION_NAMES)
@pytest.mark.parametrize(("kind", "text"), [("message", TEXT), ("seed", SEED)], ids=["message", "seed"])
def test_bouncy_castle_opens_ours(desk: Path, suite_name: str, kind: str, text: bytes) -> None:
    out = desk / f"{suite_name}.{kind}.out"
    assert out.exists(), (desk / "said").read_text()
    assert out.read_bytes() == text


@pytest.mark.parametrize(("suite_name", "way"), MADE)
def test_we_open_what_bouncy_castle_encrypts(desk: Path, suite_name: str, way: str) -> None:
    box, message = mailbox(suite_name), desk / made(suite_name, way)
    assert message.exists(), (desk / "said").read_text()
    assert decrypt_bytes(message.read_bytes(), box.key, box.certificate) == TEXT
    ukm = EnvelopeView(io.BytesIO(message.read_bytes())).recipients[0].wrapped.ukm
    assert (ukm == b"keying material") == ("+ukm" in way)
