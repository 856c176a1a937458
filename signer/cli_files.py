"""Which files `sealroad verify` is asked about: names, folders and patterns, in the order they are given.

wanted = expand(["contracts/", "*.pdf", "-"], recursive=True)
wanted.names, wanted.several
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from signer.errors import OptionError

SUFFIXES = frozenset({".pdf", ".ofd", ".p7s", ".p7m", ".sig"})
"""What is looked at in a folder; a file named explicitly may be called anything."""
MAX_FILES = 100_000
_PATTERN = frozenset("*?[")


@dataclass(frozen=True)
class Wanted:
    """The files; what a folder or pattern finds again is not repeated."""

    names: tuple[str, ...]
    several: bool
    """Whether the answer is a list: several were named, or a folder or pattern was, whatever is in it."""


def expand(given: Sequence[str], *, recursive: bool) -> Wanted:
    """Return the files that `given` means. Raises OptionError for a folder or pattern with nothing in it."""
    names: list[str] = []
    known: set[str] = set()
    several = len(given) > 1
    for item in given:
        path = Path(item)
        if item != "-" and path.is_dir():
            several = True
            found = list(_in_folder(path, recursive))
        elif item != "-" and not path.exists() and _PATTERN.intersection(item):
            several = True
            found = _matching(item, recursive)
        else:
            names.append(item)  # as often as it is named
            known.add(item)
            continue
        if not found:
            hint = "only *.pdf, *.ofd, *.p7s, *.p7m and *.sig are looked at"
            hint += "" if recursive else "; or use --recursive"
            raise OptionError(f"there is nothing to verify in {item}", hint=hint)
        names += [name for name in found if name not in known]
        known.update(found)
        if len(names) > MAX_FILES:
            raise OptionError(f"more than {MAX_FILES} files", hint="verify them folder by folder")
    return Wanted(tuple(names), several)


def _matching(pattern: str, recursive: bool) -> list[str]:
    found: list[str] = []
    # not Path.glob, which takes no absolute pattern
    for name in sorted(glob.iglob(pattern, recursive=recursive)):  # noqa: PTH207
        found += _in_folder(Path(name), recursive) if Path(name).is_dir() and recursive else []
        found += [name] if Path(name).is_file() else []
    return found


def _in_folder(folder: Path, recursive: bool) -> Iterator[str]:
    """Yield the files of a folder by name; links to folders are not followed, hidden folders are passed over."""
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if recursive else []
        for name in sorted(files):
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield str(Path(where) / name)
