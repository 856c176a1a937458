"""The demo's directory: what is left in it, what is never touched, and how it is filled all at once.

    place = Directory(Path("demo"))
    with place.filling() as staging:          # an empty directory inside demo/
        (staging / "contract.pdf").write_bytes(data)
    # every file has been moved into place; after an error there is nothing new

Files that an earlier demo left are replaced. A file with one of our names that no demo wrote stops it before anything
is done; other files are left alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from api.errors import ConfigurationError

MARKER: Final = ".sealroad-demo.json"
"""Names the files that a demo wrote."""
SCHEMA: Final = "sealroad.demo-files/1"

CONTRACT: Final = "contract.pdf"
SIGNED: Final = "contract.signed.pdf"
REPORT: Final = "report.json"
REPORT_PAGE: Final = "report.html"
EVIDENCE: Final = "evidence.json"
AUTHORITIES: Final = {
    "seller": "ca-seller-sm2.pem",
    "buyer": "ca-buyer-gost2012-256.pem",
    "carrier": "ca-carrier-ecdsa-p256.pem",
    "time-stamps": "ca-time-stamps-ecdsa-p256.pem",
}
"""Root certificates, by whose signature leads to them. The last one is behind the time-stamp on the carrier's."""
LISTS: Final = tuple(f"crl/{who}-{tier}.crl" for who in AUTHORITIES for tier in ("root", "issuing"))
OWN_KEY: Final = "carrier"
NAMES: Final = (
    *(CONTRACT, SIGNED, *AUTHORITIES.values(), REPORT, REPORT_PAGE, EVIDENCE, *LISTS),
    *(f"{OWN_KEY}/{name}" for name in ("key.pem", "certificate.pem")),
)
"""Every file a demo leaves."""


class Directory:
    """Where a demo leaves its files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self, contract: Path | None = None) -> None:
        """Raise ConfigurationError where the demo would replace something that is not its own."""
        if self.path.exists() and not self.path.is_dir():
            raise ConfigurationError(f"{self.path} is a file", hint="give --dir the name of a directory")
        if contract is not None and any(contract.resolve() == (self.path / name).resolve() for name in NAMES):
            raise ConfigurationError(f"the demo would overwrite {contract}", hint="choose another directory with --dir")
        ours = self._written()
        for name in NAMES:
            path = self.path / name
            if (os.path.lexists(path) and name not in ours) or path.is_dir():
                raise ConfigurationError(
                    f"{path} is there already and is not from a demo, so it is left alone",
                    hint="choose another directory with --dir, or move the file away",
                )
        for parent in sorted({name.partition("/")[0] for name in NAMES if "/" in name}):
            if os.path.lexists(self.path / parent) and not (self.path / parent).is_dir():
                raise ConfigurationError(
                    f"{self.path / parent} is no directory", hint="choose another directory with --dir"
                )

    @contextlib.contextmanager
    def filling(self) -> Iterator[Path]:
        """Give a directory to fill; its files are moved into place if the block ends well, and dropped if not."""
        made = [path for path in (self.path, *self.path.parents) if not path.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".sealroad-demo-", dir=self.path))
        done = False
        try:
            yield staging
            self._publish(staging)
            done = True
        finally:
            shutil.rmtree(staging, ignore_errors=True)
            if not done:
                for path in made:
                    with contextlib.suppress(OSError):  # somebody else put something there
                        path.rmdir()

    def _publish(self, staging: Path) -> None:
        from certs import files

        names = [name for name in NAMES if (staging / name).is_file()]
        record = {"schema": SCHEMA, "files": sorted({*names, *self._written()})}
        for name in names:
            (self.path / name).parent.mkdir(exist_ok=True)
        # Recorded first: whatever interrupts the moves, the next demo knows these files as its own.
        files.write(self.path / MARKER, (json.dumps(record, indent=1) + "\n").encode())
        for name in names:
            (staging / name).replace(self.path / name)

    def _written(self) -> set[str]:
        """Return the names that an earlier demo recorded here."""
        try:
            record = json.loads((self.path / MARKER).read_text("utf-8"))
        except (OSError, ValueError):
            return set()
        if not isinstance(record, dict) or record.get("schema") != SCHEMA or not isinstance(record.get("files"), list):
            return set()
        return {name for name in record["files"] if name in NAMES}
