"""The MAC that a signature carries in an encrypted file which has one (ISO/TS 32004).

    mac = needed_mac(ground)                               # None where the file has none
    mac.size                                               # octets to reserve
    mac.attribute(work, byte_range, value)                 # once the signature value is there

Whoever changes an encrypted file must put a new MAC over all of it, else nobody would take it any more. So a file whose
MAC does not hold is not signed: the new one would vouch for what somebody changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from certs import oids, suites
from certs.signed_data import attribute
from signer.errors import SigningRefused
from signer.pades.preflight import Ground
from signer.pades.working import CHUNK, Working
from signer.pdf.encryption import Decryptor
from signer.pdf.mac import DIGEST, has_mac, mac_problem, make_token, token_size

SLACK = 256
"""Octets of the attribute around a token, and of what the token says of the signature."""


@dataclass(frozen=True)
class FileMAC:
    """What makes MACs for one opened file."""

    decryptor: Decryptor

    @property
    def size(self) -> int:
        """Octets of the attribute, at most."""
        return token_size(self.decryptor) + SLACK

    def attribute(self, work: Working, byte_range: tuple[int, int, int, int], value: bytes) -> bytes:
        """Return the unsigned attribute with the MAC over the file and this signature value, DER."""
        _, before, behind, length = byte_range
        running, whole = suites.new_digest(DIGEST), work.whole()
        for start, end in ((0, before), (behind, behind + length)):
            for at in range(start, end, CHUNK):
                running.update(whole[at : min(at + CHUNK, end)])
        return attribute(oids.PDF_MAC, make_token(self.decryptor, running.digest(), value))


def needed_mac(ground: Ground) -> FileMAC | None:
    """Return what makes the MAC that the file needs. Raises SigningRefused where its own does not hold."""
    decryptor = ground.pdf.decryptor
    if decryptor is None:
        return None
    problem = mac_problem(ground.view, decryptor)
    if problem:
        raise SigningRefused(
            f"the MAC over the file does not hold: {problem}", hint="ask for the file again", reason="mac-broken"
        )
    return FileMAC(decryptor) if has_mac(decryptor) else None


def no_mac(mac: FileMAC | None, because: str, hint: str) -> None:
    """Raise SigningRefused where the file has a MAC, and there is no way to make the next one."""
    if mac is not None:
        raise SigningRefused(f"the file has a MAC: {because}", hint=hint, reason="mac")


__all__ = ["FileMAC", "needed_mac", "no_mac"]
