"""A phone of parts we did not write: zbar reads the code from the screen, openssl signs what the address shows."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from api.handover import qr
from certs.pem import armor
from tests.api.conftest import User, at_home, circle_today, ground, service, settings, user
from tests.api.handover.phone import Phone, hand_over
from tests.interop.programs import Program

__all__ = ["ground", "service", "settings", "user"]

pytestmark = pytest.mark.interop

WAYS = {
    "ecdsa-p256": ("-sha256",),
    "rsa": ("-sha256",),
    "sm2": ("-sm3", "-sigopt", "distid:1234567812345678"),
}


@pytest.fixture
def zbarimg() -> Program:
    return Program.find("zbarimg", "--raw", "--quiet", "--nodbus")


def scanned(zbarimg: Program, png: bytes, directory: Path) -> str:
    (directory / "code.png").write_bytes(png)
    return zbarimg.run(directory / "code.png").check().output.decode().strip()


@pytest.mark.parametrize("base", ["http://127.0.0.1:8080", "https://sign.example", f"https://{'a' * 60}.example"])
def test_zbar_reads_the_address(zbarimg: Program, tmp_path: Path, base: str) -> None:
    address = f"{base}/h/4fzJ0Zb2-_lIk3SkdfRCfu-BcRR_qFLEtvAWE3MxtcW"
    assert scanned(zbarimg, qr.as_png(qr.modules(address)), tmp_path) == address


@pytest.mark.parametrize("suite", WAYS)
def test_openssl_signs_what_zbar_found(zbarimg: Program, tmp_path: Path, user: User, suite: str) -> None:
    circle, openssl = circle_today(suite), Program.find("openssl")
    contract = user.sent(at_home(circle))
    handover: dict[str, Any] = hand_over(user, user.ask(contract, contract["parties"][0]))
    (tmp_path / "key.pem").write_text(armor("PRIVATE KEY", circle.key.pkcs8()))
    with Phone(scanned(zbarimg, base64.b64decode(handover["qr"]["png"]), tmp_path), circle.key) as phone:
        (tmp_path / "dtbs").write_bytes(base64.b64decode(phone.look().json()["dtbs"]))
        signed = openssl.run("dgst", *WAYS[suite], "-sign", tmp_path / "key.pem", tmp_path / "dtbs").check()
        assert phone.send(signature=base64.b64encode(signed.output).decode()).json() == {"state": "used"}
    user.wait_for_state(contract, "completed")
