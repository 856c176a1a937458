"""Checkpoints of the audit log and officers' approvals are CMS that openssl, gost-engine and Bouncy Castle verify."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from certs import circle as circles
from certs.application import parse as parse_dossier
from certs.audit.checkpoint import parse
from certs.pem import armor, pem_blocks
from tests.certs.audit import desk as ledgers
from tests.certs.test_ra import OFFICERS, dossier_of, officer_holder
from tests.conftest import CLOCK, circle_of
from tests.interop.papers import EPOCH, MOMENT
from tests.interop.programs import Docket, Opinion, Program

pytestmark = pytest.mark.interop

OPENSSL = ("rsa", "rsa-pss", "ecdsa-p256", "ecdsa-bp384", "gost2012-256", "gost2012-512")
"""OpenSSL 3.0 has no ML-DSA, no EdDSA in CMS, and no way to give `cms` the signer's identifier of SM2."""
BOUNCY_CASTLE = (*OPENSSL, "ed25519", "ed448", "sm2")


def block_of(suite: str) -> bytes:
    """Return the last checkpoint of a circle, DER."""
    return pem_blocks(circles.books(ledgers.original(suite), CLOCK).log.checkpoints()[-1])[0][1]


@pytest.mark.parametrize("suite", OPENSSL)
def test_openssl_verifies_a_checkpoint(suite: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    tool: Program = request.getfixturevalue("gost_openssl" if suite.startswith("gost") else "openssl")
    directory = ledgers.original(suite)
    data = circles.books(directory, CLOCK).log.checkpoints()[-1]
    (tmp_path / "checkpoint.pem").write_bytes(data)
    arguments = ("cms", "-verify", "-binary", "-inform", "PEM", "-in", tmp_path / "checkpoint.pem")
    trust = ("-CAfile", directory / "root.pem", "-attime", EPOCH, "-out", tmp_path / "content")
    tool.run(*arguments, *trust).check("Verification successful")  # by its own purpose, S/MIME signing
    content = (tmp_path / "content").read_bytes()
    assert content == parse(data).content
    assert bytes.fromhex(json.loads(content)["root"]) == parse(data).root
    (tmp_path / "checkpoint.pem").write_text(armor("CMS", block_of(suite).replace(b'"size":', b'"sizE":')))
    tool.run(*arguments, *trust).refused()


@pytest.fixture(scope="module")
def opinions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Opinion]:
    place = tmp_path_factory.mktemp("checkpoints")
    docket = Docket(place)
    for suite in BOUNCY_CASTLE:
        block = block_of(suite)
        root = place / f"{suite}.root.cer"
        root.write_bytes(circles.books(ledgers.original(suite), CLOCK).store.anchors[0].der)
        for label, encoded in (("good", block), ("altered", block.replace(b'"size":', b'"sizE":'))):
            file = place / f"{suite}.{label}.cms"
            file.write_bytes(encoded)
            docket.add(f"{suite} {label}", "cms", cms=file, anchor=root, at=MOMENT)
    dossier = parse_dossier(dossier_of("ab" * 20, "ecdsa-p256", approvals=tuple(OFFICERS)).encode())
    for (name, suite), approval in zip(OFFICERS.items(), dossier.approvals, strict=True):
        circle = circle_of(suite)
        (place / f"{name}.cms").write_bytes(approval)
        (place / f"{name}.cer").write_bytes(circle.issuing.der)
        assert officer_holder(name)[1].issuer == circle.issuing.subject
        docket.add(f"approval {name}", "cms", cms=place / f"{name}.cms", anchor=place / f"{name}.cer", at=MOMENT)
    return docket.judge()


@pytest.mark.parametrize("suite", BOUNCY_CASTLE)
def test_bouncy_castle_verifies_a_checkpoint(suite: str, opinions: dict[str, Opinion]) -> None:
    assert opinions[f"{suite} good"].good, opinions[f"{suite} good"]
    assert "message-digest attribute value does not match" in opinions[f"{suite} altered"].detail


@pytest.mark.parametrize("name", OFFICERS)
def test_bouncy_castle_verifies_an_approval(name: str, opinions: dict[str, Opinion]) -> None:
    assert opinions[f"approval {name}"].good, opinions[f"approval {name}"]
