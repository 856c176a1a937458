"""Run every benchmark, or those named: `python -m benchmarks [suites] [sign] [verify]`."""

from __future__ import annotations

import importlib
import sys

ALL = ("suites", "sign", "verify")


def main(names: list[str]) -> int:
    """Run the named benchmarks in turn; each prints its own table."""
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"benchmarks: unknown: {', '.join(unknown)}; there are {', '.join(ALL)}", file=sys.stderr)
        return 2
    for name in names or ALL:
        print(f"\n== {name}\n", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
