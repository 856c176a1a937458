"""Certificates, OCSP answers, time-stamps and paths per second, against the raw cryptography inside each.

    python -m benchmarks pki

Ours is the whole operation as the service runs it: requests read, ledger and counter on disk asked, everything encoded,
and signatures checked before they leave. The first table holds it against what no implementation that checks every
signature can do without: one signature and one verification of the suite for a certificate, an answer and a token; one
verification for every signature in a path of three with an OCSP answer for two of them (which are six). The second
holds it against the signature alone, under both policies of decision 16: every signature checked, and one in 256 where
the suite allows that. A pre-produced answer needs neither; how much quicker than a
signature it is says what keeping answers is worth. Rates are per second of the processor's time: the disk's own time is
not in them. Questions about 256 certificates come in turn, each with a nonce of its own; all have been asked before.

A certificate waits for the disk: the third table holds the time on the wall against that of the forced writes in it,
three (planned, about to be signed, issued), or six with an audit log, where each of these acts has its entry first.

The other tables are beside OpenSSL's own responder and time-stamping code: `benchmarks.pki_peers`.
"""

from __future__ import annotations

import itertools
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.compare import Pairs, Row, Table, alternate, milliseconds
from certs import circle, profiles, suites, timestamp
from certs.ca import ClosedCircle, new_serial
from certs.certificate import Certificate, Subject
from certs.clock import SystemClock
from certs.errors import BackendUnavailable
from certs.keys.checked import EVERY, OwnCheck
from certs.ledger import Entry, SQLiteLedger
from certs.ocsp import OCSPResponse, make_cert_id, make_request, request_for
from certs.ocsp_responder import OCSPResponder
from certs.path import validate_path
from certs.trust import TrustStore
from certs.tsa import TimeStampAuthority
from certs.tsa_counter import FileCounter

SUITES = ("rsa", "ecdsa-p256", "ed25519", "ml-dsa-65", "sm2", "gost2012-256")
PARAMETER = {"rsa": "2048"}
MESSAGE = b"x" * 400
"""About as long as what is signed in a certificate, an answer or a token."""
PATH_SIGNATURES = 6
"""Of the path measured: two links, two OCSP answers, two certificates of responders."""
CERTIFICATES = 256
SOME = OwnCheck(one_in=256)
ROUNDS = 20
CLOCK = SystemClock()


def run(*, quick: bool = False) -> list[Table]:
    """Return all tables."""
    from benchmarks import pki_peers  # which imports this page

    rounds = 2 if quick else ROUNDS
    both: list[Row] = []
    alone: list[Row] = []
    with tempfile.TemporaryDirectory() as directory:
        benches: dict[str, Bench | BackendUnavailable] = {}
        for suite in SUITES:
            try:
                bench = benches[suite] = Bench(suite, Path(directory) / suite)
            except BackendUnavailable as error:
                benches[suite] = error
                both.append(Row(suite, "", str(error)))
                continue
            for what, ours, raw in bench.pairs():
                both.append(row(f"{suite}, {what}", alternate(ours, raw, rounds)))
            for what, ours in bench.operations():
                alone.append(row(f"{suite}, {what}", alternate(ours, bench.sign, rounds)))
        issued = _issued(Path(directory), rounds)
        peers = [pki_peers.stamped(benches, rounds), pki_peers.served(benches, quick=quick)]
    note = "1.00 would be free of any cost but the cryptography."
    return [
        Table("pki: against signature and verification", "sealroad", "raw", both, "of raw", [note]),
        Table("pki: against one signature alone", "sealroad", "raw sign", alone, "of raw"),
        issued,
        *peers,
    ]


def row(what: str, pairs: Pairs) -> Row:
    rates = [f"{len(times) / sum(times):.0f}/s" for times in (pairs.ours, pairs.peer)]
    return Row(what, *rates, pairs.speedups)


class Bench:
    """Everything of one suite that is measured."""

    def __init__(self, suite: str, place: Path) -> None:
        place.mkdir()
        self.place = place
        parameter = PARAMETER.get(suite)
        self.key = suites.get(suite).generate(parameter)
        self.ledger = SQLiteLedger(place / "ledger.sqlite")
        self.circle = ClosedCircle.create(
            suite, organisation="Bench", country="DE", clock=CLOCK, ledger=self.ledger, parameter=parameter
        )
        self.profile, self.subject = profiles.load("person"), Subject("Bench", organisation="Bench", country="DE")
        self.spki = spki = self.key.public_key.spki
        self.leaf = self.circle.issue("person", self.subject, spki)
        issuing, root = self.circle.issuing, self.circle.root_authority
        self.delegate, of_root = (
            authority.issue(authority.prepare(profiles.load("ocsp"), self.subject, spki))
            for authority in (issuing, root)
        )
        self.stamping = self.circle.issue("tsa", self.subject, spki)
        self.responder, self.sparing = self.responder_with(EVERY), self.responder_with(SOME)
        self.tsa, self.sparing_tsa = self.tsa_with(EVERY), self.tsa_with(SOME)
        self.live = make_request([(self.leaf, issuing.certificate)])
        self.plain = make_request([(self.leaf, issuing.certificate)], nonce=None)
        self._many = itertools.cycle(self._questions())
        digest = self.key.suite.stamp_digest_name
        self.query = timestamp.make_request(digest, suites.digest(digest, MESSAGE))
        self._queries = itertools.cycle(
            [timestamp.make_request(digest, suites.digest(digest, bytes([number]))) for number in range(256)]
        )
        of_root_responder = OCSPResponder(self.key, of_root, root.certificate, self.ledger, CLOCK)
        self.answers = (
            OCSPResponse(self.responder.respond(self.live)),
            OCSPResponse(of_root_responder.respond(make_request([(issuing.certificate, root.certificate)]))),
        )
        self.value = self.key.sign(MESSAGE)
        for responder, tsa in ((self.responder, self.tsa), (self.sparing, self.sparing_tsa)):
            for _ in range(CERTIFICATES):
                assert OCSPResponse(responder.respond(next(self._many))).responses[0].status == "good"
            assert timestamp.check_response(tsa.respond(self.query), self.query)
        assert OCSPResponse(self.responder.respond(self.plain)).responses[0].status == "good"
        self.path()

    def responder_with(self, check: OwnCheck, ledger: SQLiteLedger | None = None) -> OCSPResponder:
        """Return a responder of the issuing authority, over the same file."""
        issuer = self.circle.issuing.certificate
        return OCSPResponder(self.key, self.delegate, issuer, ledger or self.ledger, CLOCK, own_check=check)

    def tsa_with(self, check: OwnCheck) -> TimeStampAuthority:
        """Return a time-stamping authority that counts on disk, as that of a circle does."""
        chain, counter = (self.circle.issuing.certificate,), FileCounter(self.place / "tsa.counter")
        return TimeStampAuthority(
            self.key, self.stamping, chain, CLOCK, counter=counter, ordering=True, own_check=check
        )

    def _questions(self) -> Iterator[bytes]:
        """Put as many certificates on record as are asked for in turn, and yield a request about each."""
        issuing, now = self.circle.issuing, CLOCK.now()
        for _ in range(CERTIFICATES):
            serial = new_serial()
            self.ledger.prepare(Entry(issuing.id, serial, "person", "CN=Bench", bytes(600), now, self.leaf.not_after))
            self.ledger.claim(issuing.id, serial)
            self.ledger.issued(issuing.id, serial, self.leaf.der)
            yield request_for([make_cert_id(issuing.certificate, serial)], nonce=secrets.token_bytes(32))

    def sign(self) -> None:
        """Make one signature."""
        self.key.sign(MESSAGE)

    def verify(self) -> None:
        """Check one signature."""
        self.key.public_key.verify(self.value, MESSAGE)

    def _both(self) -> None:
        self.sign()
        self.verify()

    def _six(self) -> None:
        for _ in range(PATH_SIGNATURES):
            self.verify()

    def issue(self) -> None:
        """Issue one certificate: checked, on record, signed, verified, on record."""
        authority = self.circle.issuing
        authority.issue(authority.prepare(self.profile, self.subject, self.spki))

    def path(self) -> None:
        """Validate a path of three with OCSP; everything is read anew from its octets."""
        chain = [Certificate(each.der) for each in (self.leaf, *self.circle.chain)]
        answers = [OCSPResponse(each.der) for each in self.answers]
        store = TrustStore((chain[2],))
        result = validate_path(chain[0], chain[1:2], store, CLOCK.now(), ocsps=answers)
        assert result.passed, result

    def operations(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Yield what is made with a signature."""
        yield "certificate", self.issue
        yield "OCSP, live", lambda: self.responder.respond(next(self._many))
        yield "OCSP, pre-produced", lambda: self.responder.respond(self.plain)
        yield "time-stamp", lambda: self.tsa.respond(next(self._queries))
        if SOME.applies_to(self.key):
            yield "OCSP, live, one in 256 checked", lambda: self.sparing.respond(next(self._many))
            yield "time-stamp, one in 256 checked", lambda: self.sparing_tsa.respond(next(self._queries))

    def pairs(self) -> Iterator[tuple[str, Callable[[], Any], Callable[[], Any]]]:
        """Yield what is measured and the cryptography it cannot do without."""
        for what, action in self.operations():
            if what in ("certificate", "OCSP, live", "time-stamp"):
                yield what, action, self._both
        yield f"path ({PATH_SIGNATURES} signatures)", self.path, self._six


def _issued(directory: Path, rounds: int) -> Table:
    """Return certificates by the time on the wall, beside the forced writes that are in each."""
    ledger = SQLiteLedger(directory / "issued.sqlite")
    plain = ClosedCircle.create("ecdsa-p256", organisation="Bench", country="DE", clock=CLOCK, ledger=ledger)
    logged = circle.create(
        directory / "ca", "ecdsa-p256", organisation="Bench", country="DE", secrets=lambda _: b"bench", clock=CLOCK
    )
    subject, spki = Subject("Bench", organisation="Bench", country="DE"), plain.root.spki
    rows = []
    with (directory / "forced").open("wb") as file:

        def force(count: int) -> None:
            for _ in range(count):
                file.write(bytes(8192))
                file.flush()
                os.fdatasync(file.fileno())

        for what, authority, writes in (("ledger", plain, 3), ("ledger and audit log", logged, 6)):
            pairs = alternate(
                partial(authority.issue, "person", subject, spki), partial(force, writes), rounds, processes=True
            )
            times = milliseconds(pairs.ours), f"{writes}: {milliseconds(pairs.peer)}"
            rows.append(Row(f"ecdsa-p256, {what}", *times, pairs.ratios))
    note = "Where the disk is quick the rest is the processor's, most of it pkilint's."
    return Table("pki: a certificate on the wall", "sealroad", "forced writes", rows, "times the writes'", [note])
