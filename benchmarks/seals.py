"""Seals made, read and verified per second, against the raw cryptography inside.

    python -m benchmarks seals

Verifying is what can be checked of a seal alone: it is read, and its maker's value is verified; of a seal signature
also the signer's, and that the signer is listed. Making is a seal of a picture of 16 KB, checked, signed, its value
verified before it leaves, and read back. Each is held against the signatures and verifications in it, over messages of
the same length. Rates are per second of the processor's time.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from PIL import Image

from benchmarks.compare import Row, Table, alternate
from certs import suites
from certs.ca import ClosedCircle
from certs.certificate import Certificate, Subject
from certs.clock import SystemClock
from certs.errors import BackendUnavailable
from certs.ledger import MemoryLedger
from signer.seals import Seal, SealPicture, SealSignature, SealVersion, read_seal, read_seal_signature
from signer.seals.check import verify_value
from signer.seals.make import SealSpec, make_seal
from signer.seals.sign import sign_with_seal

SUITES = ("sm2", "ecdsa-p256", "ed25519", "gost2012-256")
ROUNDS = 20
PIXELS = 73
"""Side of the picture, of random pixels: a PNG of about 16 KB."""


def run(*, quick: bool = False) -> list[Table]:
    """Return one table."""
    rounds = 2 if quick else ROUNDS
    rows: list[Row] = []
    for suite in SUITES:
        try:
            bench = Bench(suite)
        except BackendUnavailable as error:
            rows.append(Row(suite, "", str(error)))
            continue
        rows += [_row(f"{suite}, {what}", ours, raw, rounds) for what, ours, raw in bench.pairs()]
    note = "1.00 would be free of any cost but the cryptography."
    return [Table("seals: against the cryptography inside", "sealroad", "raw", rows, "ours / raw, time", [note])]


def _row(what: str, ours: Callable[[], object], raw: Callable[[], object], rounds: int) -> Row:
    pairs = alternate(ours, raw, rounds)
    best, peer = min(pairs.ours), min(pairs.peer)
    return Row(what, f"{1 / best:,.0f}/s", f"{1 / peer:,.0f}/s", pairs.ratios)


class Bench:
    """A seal, and a signature with it, of one suite."""

    def __init__(self, suite: str) -> None:
        clock = SystemClock()
        ca = ClosedCircle.create(
            suite,
            organisation="Bench",
            country="CN",
            clock=clock,
            ledger=MemoryLedger(),
            crl_url="http://a.example/{issuer}",
        )
        self.key = suites.get(suite).generate()
        self.certificate = ca.issue("person", Subject("Bench", country="CN"), self.key.public_key.spki)
        self.now = clock.now() + timedelta(seconds=1)
        file = io.BytesIO()
        Image.frombytes("RGB", (PIXELS, PIXELS), os.urandom(3 * PIXELS * PIXELS)).save(file, "PNG")
        self.spec = SealSpec(
            version=SealVersion.V4,
            vendor="BENCH",
            seal_id="1",
            type=4,
            name="Bench",
            owners=(self.certificate,),
            picture=SealPicture("PNG", file.getvalue(), 40, 40),
            created=self.now,
            valid_from=self.now,
            valid_to=self.now + timedelta(days=365),
        )
        self.seal = make_seal(self.spec, self.key, self.certificate)
        self.signed = self.sign()

    def sign(self) -> SealSignature:
        return sign_with_seal(
            self.seal,
            self.key,
            self.certificate,
            data_hash=suites.digest(self.key.suite.digest_name, b""),
            property_info="/Doc_0/Signs/Sign_0/Signature.xml",
            time=self.now,
        )

    def verify(self) -> Seal:
        seal = read_seal(self.seal.der)
        verify_value(Certificate(seal.maker), seal.signature_algorithm, seal.signature, seal.tbs)
        return seal

    def verify_signature(self) -> None:
        found = read_seal_signature(self.signed.der)
        certificate, seal = Certificate(found.certificate), found.seal
        verify_value(certificate, found.signature_algorithm, found.signature, found.tbs)
        verify_value(Certificate(seal.maker), seal.signature_algorithm, seal.signature, seal.tbs)
        assert seal.lists(found.certificate) == "certificate"

    def pairs(self) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
        """Yield what is measured, ours, and the raw cryptography that it cannot do without."""
        public, seal, signed = self.key.public_key, self.seal, self.signed
        raw_seal = partial(public.verify, seal.signature, seal.tbs)
        raw_sign = partial(public.verify, signed.signature, signed.tbs)

        def both() -> None:
            raw_seal()
            raw_sign()

        def made() -> None:
            self.key.sign(seal.tbs)
            raw_seal()

        def sealed() -> None:
            raw_seal()
            self.key.sign(signed.tbs)
            raw_sign()

        yield "seal verified", self.verify, raw_seal
        yield "seal signature verified", self.verify_signature, both
        yield "seal made", partial(make_seal, self.spec, self.key, self.certificate), made
        yield "sealed", self.sign, sealed
