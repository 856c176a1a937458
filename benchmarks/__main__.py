"""Run every benchmark, or those named: `python -m benchmarks [--quick] [NAME …]`.

    sign      a signature against stock pyHanko and against one digest pass and one raw signature
    verify    `sealroad verify` against `pyhanko sign validate`, whole processes
    suites    SM2 and GOST signatures per second against the native library's own
    digests   message digests against SHA-256
    pki       certificates, OCSP answers, time-stamps and paths against the raw cryptography inside
    seals     electronic seals made, used and verified against the raw cryptography inside
    envelopes encrypting and decrypting 100 MB against the bare cipher and against `openssl cms`
    jobs      jobs that do nothing, carried by the engine, against the same rows without it; one worker and two
    contracts the main job on a real service: contracts per second, p99 of each call, memory, processor time
    seal_drawing  seals of every kind, drawn, against stamps

Both sides of a ratio are run in turn, A B A B, and the ratio is taken pair by pair, so that a machine that slows down
slows down both. What counts is the median of the ratios; times and rates stand beside it only to say what they are of.
`--quick` makes a few runs only, to see that everything works.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence

ALL = ("sign", "verify", "suites", "digests", "pki", "seals", "seal_drawing", "envelopes", "jobs", "contracts")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the named benchmarks in turn; each prints its own tables."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Ratios to peers and to the raw-crypto floor.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"out of {', '.join(ALL)}; all of them by default")
    parser.add_argument("--quick", action="store_true", help="a few runs only")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in ALL]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(ALL)}")
    for name in chosen.names or ALL:
        for table in importlib.import_module(f"benchmarks.{name}").run(quick=chosen.quick):
            print(table, flush=True)


if __name__ == "__main__":
    main()
