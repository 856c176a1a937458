"""Writes limbo.json from a checkout of C2SP/x509-limbo, without network, for tests/conformance/test_limbo.py.

    python tools/limbo.py CHECKOUT limbo.json      # needs pydantic, pyyaml, pyOpenSSL, certifi, requests, Jinja2
    SEALROAD_LIMBO=limbo.json make test-all

The cases that BetterTLS contributes are left out: they are in a file of their own.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any


def main(checkout: str, target: str) -> int:
    warnings.simplefilter("ignore")
    sys.path.insert(0, checkout)
    from limbo import testcases  # type: ignore[import-not-found]
    from limbo.models import Limbo  # type: ignore[import-not-found]
    from limbo.testcases import invalid, online  # type: ignore[import-not-found]

    def same(self: Any, _: Any) -> Any:
        return self

    for item in vars(invalid).values():  # stand-ins for extensions, which newer versions of cryptography must copy
        if isinstance(item, type) and item.__name__.startswith("Malformed"):
            item.__deepcopy__ = same  # type: ignore[attr-defined]
            item.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]
    online.register_testcases()
    built = [make() for make in testcases.registry.values()]
    Path(target).write_text(Limbo(version=1, testcases=built).model_dump_json(), encoding="utf-8")
    print(len(built), "cases")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
