"""The main job on a real service: contracts per second, p99 of each call, memory, and where the processor's time goes.

    python -m benchmarks contracts                                 # a short run
    python -m benchmarks.contracts --contracts 100 --clients 4     # a long one; --open, --rounds, --sqlite

`sealroad serve --no-worker` and one or two `sealroad worker`, on SQLite and on a PostgreSQL that waits for its disk.
Customers over HTTP upload, send to three parties (SM2, GOST, ECDSA), sign three times, and wait for the completed
contract, while 10,000 others are open. The customers and their keys run in this process, on the same processors.

Contracts per second are of the wall clock: only an idle machine gives figures worth quoting, and every table says how
busy it was. Processor time is taken from /proc, less what the same processes use when nobody asks for anything.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from api.demo import cast
from benchmarks.compare import Row, Table
from benchmarks.customers import SUITES, Calls, Customer, in_turns, parties
from benchmarks.deployment import Deployment, Used, deployment
from benchmarks.open_contracts import multiply
from certs import suites
from certs.certificate import Subject
from signer.cms import sign_detached
from signer.pades.options import SignOptions
from signer.pades.sign import complete, prepare
from tests.api.postgres import cluster

TICK = 0.01
"""Seconds: no less is counted of a process."""
IDLE = 4.0
"""Seconds for which the processes are watched at rest."""
READS = 200


@dataclass(frozen=True)
class Scale:
    """How much is done."""

    contracts: int = 8
    """In one round."""
    rounds: int = 2
    clients: int = 4
    open: int = 10_000
    databases: tuple[str, ...] = ("SQLite", "PostgreSQL")


QUICK = Scale(contracts=1, rounds=1, clients=1, open=20, databases=("SQLite",))


def run(*, quick: bool = False, scale: Scale | None = None) -> list[Table]:
    """Return the tables of each database there is."""
    scale = scale or (QUICK if quick else Scale())
    pdf, found = cast.sample_contract(datetime.now(UTC).date()).pdf, []
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        for name, url, postmaster in _databases(scale, stack):
            with deployment(Path(directory) / name, url, postmaster) as service:
                found += _Measurement(name, service, scale, pdf).tables()
    return found


def _databases(scale: Scale, stack: ExitStack) -> Iterator[tuple[str, str | None, int | None]]:
    if "SQLite" in scale.databases:
        yield "SQLite", None, None
    if "PostgreSQL" not in scale.databases:
        return
    try:
        server = stack.enter_context(cluster(durable=True))
    except BaseException as error:  # pytest's way to skip
        if type(error).__name__ != "Skipped":
            raise
        return
    yield "PostgreSQL", server.create("contracts"), server.pid


class _Measurement:
    """All figures of one database."""

    def __init__(self, name: str, service: Deployment, scale: Scale, pdf: bytes) -> None:
        self._name, self._service, self._scale, self._pdf = name, service, scale, pdf
        self._to = service.address, service.token
        machine = f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the beginning"
        self._notes = (f"{name}; {scale.open} other contracts open; {scale.clients} customers; {machine}",)
        self._calls = Calls()
        self._memory: dict[str, int] = {}

    def tables(self) -> list[Table]:
        """Measure."""
        self._service.worker()
        self._once()  # makes the circles
        before = self._reads()
        self._fill()
        after = self._reads()
        rates = self._rates()
        return [
            self._table("contracts completed per second", "first", "second", rates),
            self._table("reads, p99", "with open contracts", "without", _compared(after, before)),
            *self._spent(),
        ]

    def _table(self, what: str, ours: str, peer: str, rows: list[Row]) -> Table:
        return Table(f"contracts: {what}", ours, peer, rows, notes=self._notes)

    def _once(self) -> None:
        with Customer(*self._to, Calls()) as customer:
            _whole_job(customer, self._pdf, held=True)

    # What is open ----------------------------------------------------------------------------------------------------
    def _fill(self) -> None:
        with Customer(*self._to, Calls()) as customer:
            fresh = customer.send(customer.draft(self._pdf, parties(held=True)))
            begun = customer.send(customer.draft(self._pdf, parties(held=True)))
            customer.sign(begun, 0)
        multiply(self._service.context.database, [fresh["id"], begun["id"]], self._scale.open)

    def _reads(self) -> Calls:
        """Read in all ways that there are, one after the other."""
        calls = Calls()
        with Customer(*self._to, Calls()) as customer:
            listed = customer.call("", "GET", "/v1/contracts?limit=1")["data"][0]
        paths = {
            "GET contract": f"/v1/contracts/{listed['id']}",
            "GET contracts": "/v1/contracts?limit=20",
            "GET contracts?state": "/v1/contracts?state=completed&limit=20",
            "GET events": f"/v1/contracts/{listed['id']}/events",
            "GET jobs": "/v1/jobs?limit=20",
            "GET jobs?state": "/v1/jobs?state=queued&limit=20",
            "GET documents": "/v1/documents?limit=20",
            "GET content": f"/v1/contracts/{listed['id']}/documents/{listed['documents'][0]['id']}/content",
        }
        with Customer(*self._to, calls) as customer:
            for _ in range(READS if self._scale.open > QUICK.open else 5):
                for what, path in paths.items():
                    customer.call(what, "GET", path)
        return calls

    # Throughput ------------------------------------------------------------------------------------------------------
    def _rates(self) -> list[Row]:
        """Return contracts per second with one worker and with two, and with keys that the parties hold."""
        one, two, own = [], [], []
        for _ in range(self._scale.rounds):
            one.append(self._rate(held=True))
            second = self._service.worker()
            two.append(self._rate(held=True))
            self._memory = self._service.memory()
            self._service.stop(second)
            own.append(self._rate(held=False))
        return [
            _ratio("keys held by the service: two workers, one worker", two, one),
            _ratio("one worker: keys held by the parties, by the service", own, one),
        ]

    def _rate(self, *, held: bool) -> float:
        parties(held=held)  # makes the keys of those who have their own, in one thread
        start = time.perf_counter()
        work = range(self._scale.contracts)
        job = lambda customer, _: _whole_job(customer, self._pdf, held=held)  # noqa: E731
        in_turns(self._scale.clients, work, job, *self._to, self._calls)
        return self._scale.contracts / (time.perf_counter() - start)

    # Processor time --------------------------------------------------------------------------------------------------
    def _spent(self) -> list[Table]:
        # A worker that ends signs a checkpoint beside the audit log, and every process opens the circles again: once.
        self._once()
        idle = self._idle()
        phases = self._phases(idle)
        calls = [
            Row(what, _ms(self._calls.percentile(what, 99)), _ms(self._calls.percentile(what, 50)))
            for what in sorted(self._calls.times)
        ]
        memory = [Row(name, f"{size / 2**20:.0f} MiB", "") for name, size in self._memory.items()]
        return [
            self._table("calls under load", "p99", "median", calls),
            self._table("resident memory of each process under load, two workers", "", "", memory),
            self._table(
                "processor time for one contract", "in all", "serve + workers + database", self._rows(phases, idle)
            ),
            self._signatures(phases),
        ]

    def _idle(self) -> Used:
        before, start = self._service.used(), time.perf_counter()
        time.sleep(IDLE if self._scale.open > QUICK.open else 0.5)
        spent, passed = self._service.used() - before, time.perf_counter() - start
        return Used(spent.serve / passed, spent.workers / passed, spent.database / passed)

    def _phases(self, idle: Used) -> dict[str, Used]:
        """Return what one contract costs, step by step; an approver comes last, so that the end is a step as well."""
        scale, spent = self._scale, {}
        count = scale.contracts * scale.rounds

        def step(name: str, work: Any, act: Callable[[Customer, Any], Any]) -> list[Any]:
            before, start = self._service.used(), time.perf_counter()
            done = in_turns(scale.clients, work, act, *self._to, Calls())
            used, passed = self._service.used() - before, time.perf_counter() - start
            spent[name] = Used(
                max(0.0, used.serve - idle.serve * passed) / count,
                max(0.0, used.workers - idle.workers * passed) / count,
                max(0.0, used.database - idle.database * passed) / count,
            )
            return done

        wanted = parties(held=True, approver=True)
        drafts = step("upload and draft", range(count), lambda customer, _: customer.draft(self._pdf, wanted))
        contracts = step("send", drafts, Customer.send)
        for number, suite in enumerate(SUITES):
            step(suite, contracts, lambda customer, contract, number=number: customer.sign(contract, number))

        def end(customer: Customer, contract: Any) -> None:
            customer.approve(contract, len(SUITES))
            customer.wait_for(contract, "completed")

        step("approve and finalise", contracts, end)
        return spent

    def _rows(self, phases: dict[str, Used], idle: Used) -> list[Row]:
        named = {f"sign, {name}" if name in SUITES else name: used for name, used in phases.items()}
        every = phases.values()
        named["all of it"] = Used(
            sum(used.serve for used in every), sum(used.workers for used in every), sum(used.database for used in every)
        )
        named["at rest, for each second"] = idle
        return [
            Row(what, _ms(used.total), " + ".join(map(_ms, (used.serve, used.workers, used.database))))
            for what, used in named.items()
        ]

    def _signatures(self, phases: dict[str, Used]) -> Table:
        """Compare a signature by the service with the same by the library, and with the bare cryptography in it."""
        rounds = max(3, self._scale.contracts)
        rows = [Row("the least call there is, in the server alone", _ms(self._least_call()), "")]
        for suite in SUITES:
            library, raw = _floor(self._service, suite, self._pdf, rounds)
            total = max(phases[suite].total, TICK)
            rows += [
                Row(f"{suite}: by the service, by the library", _ms(total), _ms(library), (total / library,)),
                Row(f"{suite}: overhead of the service", _ms(total - library), ""),
                Row(f"{suite}: signatures and time-stamps, of all", _ms(raw), _ms(total), (raw / total,)),
            ]
        return Table(
            "contracts: milliseconds of processor time for one signature",
            "first",
            "second",
            rows,
            notes=(
                *self._notes,
                "One is four signatures: the record of the intent, the PDF, and the time-stamp on each.",
                "The least call reads one row by its identifier, with an API key; one signature takes three calls.",
                "By the library: `sign_detached`, `prepare`, `complete` at B-T in this process, nothing on record.",
            ),
        )

    def _least_call(self) -> float:
        """Return the seconds of processor time in which the server tells of one job."""
        count = READS if self._scale.open > QUICK.open else 5
        with Customer(*self._to, Calls()) as customer:
            path = f"/v1/jobs/{customer.call('', 'GET', '/v1/jobs?limit=1')['data'][0]['id']}"
            before = self._service.used()
            for _ in range(count):
                customer.call("", "GET", path)
            return (self._service.used() - before).serve / count


def _whole_job(customer: Customer, pdf: bytes, *, held: bool) -> None:
    contract = customer.send(customer.draft(pdf, parties(held=held)))
    for number in range(len(SUITES)):
        customer.sign(contract, number)
    customer.wait_for(contract, "completed")


def _floor(service: Deployment, suite: str, pdf: bytes, rounds: int) -> tuple[float, float]:
    """Return the seconds of one signature by the library, with its record; and of the cryptography alone in it."""
    circle, company = service.context.circles.get(suite), cast.CAST[SUITES.index(suite)]
    key = suites.get(suite).generate()
    certificate = circle.issue("person", Subject(company.signatory, country=company.country), key.public_key.spki)
    chain, clock, record = circle.chain, service.context.clock, b'{"schema":"sealroad.intent/1"}' + b" " * 1000
    library, raw = [], []
    with tempfile.TemporaryDirectory() as directory:
        source, target = Path(directory) / "contract.pdf", Path(directory) / "signed.pdf"
        source.write_bytes(pdf)
        for _ in range(rounds + 1):
            start = time.process_time()
            sign_detached(io.BytesIO(record), key, certificate, chain, clock=clock, level="B-T", timestamper=circle.tsa)
            prepared = prepare(source, target, SignOptions(level="B-T"), certificate, chain, clock)
            value = key.sign(prepared.dtbs)
            complete(target, prepared, value=value, cms=None, timestamper=circle.tsa)
            library.append(time.process_time() - start)
            digest = suites.digest("sha256", value)
            start = time.process_time()
            for _ in range(2):
                key.sign(prepared.dtbs)
                circle.tsa.stamp("sha256", digest)
            raw.append(time.process_time() - start)
    return median(library[1:]), median(raw[1:])


def _compared(ours: Calls, peer: Calls) -> list[Row]:
    rows = []
    for what in ours.times:
        late, early = ours.percentile(what, 99), peer.percentile(what, 99)
        rows.append(Row(what, _ms(late), _ms(early), (late / early,)))
    return rows


def _ratio(what: str, ours: list[float], peer: list[float]) -> Row:
    ratios = tuple(a / b for a, b in zip(ours, peer, strict=True))
    return Row(what, f"{median(ours):.2f} /s", f"{median(peer):.2f} /s", ratios)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def main() -> None:
    """Run with a scale of one's own."""
    parser = argparse.ArgumentParser(prog="benchmarks.contracts", description=__doc__.splitlines()[0])
    usual = Scale()
    parser.add_argument("--contracts", type=int, default=usual.contracts, help="contracts of one round")
    parser.add_argument("--rounds", type=int, default=usual.rounds)
    parser.add_argument("--clients", type=int, default=usual.clients, help="customers at a time")
    parser.add_argument("--open", type=int, default=usual.open, help="other contracts that are open")
    parser.add_argument("--sqlite", action="store_true", help="no PostgreSQL")
    given = parser.parse_args()
    databases = ("SQLite",) if given.sqlite else usual.databases
    for table in run(scale=Scale(given.contracts, given.rounds, given.clients, given.open, databases)):
        print(table, flush=True)


if __name__ == "__main__":
    main()
