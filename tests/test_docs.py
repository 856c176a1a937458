"""The pages lead where they say: links, headings, and files of the project that they name."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from api import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")) if path.name != "LICENSE.md")

LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"(?<![\w./-])((?:certs|signer|api|tests|benchmarks|tools|docs|requirements)/[\w./{},*-]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if heading:
            assert heading in headings(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_exist(page: Path) -> None:
    for name in NAMED.findall(page.read_text(encoding="utf-8")):
        for one in spelled_out(name.rstrip("./,")):
            assert exists(one), one


def headings(page: Path) -> set[str]:
    """Return the anchors of a page, as hosts of Markdown make them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def spelled_out(name: str) -> list[str]:
    """Return every name that `text/{en,zh}.py` stands for."""
    found = re.search(r"\{([^}]*)\}", name)
    return [name.replace(found[0], one) for one in found[1].split(",")] if found else [name]


def exists(name: str) -> bool:
    """Tell whether there is such a file, folder, module, decision (by its number) or member of a module."""
    if any(any(ROOT.glob(name + suffix)) for suffix in ("", ".py", "-*.md")):
        return True
    module, _, member = name.rpartition(".")
    file = ROOT / f"{module}.py"
    return bool(module) and file.exists() and re.search(rf"\b{member}\b", file.read_text(encoding="utf-8")) is not None


def commands_in(page: Path) -> list[str]:
    """Return the command lines in the fenced blocks of a page."""
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if re.match(r"(\.venv/bin/)?sealroad ", line)]


@pytest.mark.parametrize("page", [page for page in PAGES if commands_in(page)], ids=lambda page: page.name)
def test_commands_are_spelled_as_the_program_has_them(page: Path) -> None:
    parser = cli._parser(cli.commands())
    for line in commands_in(page):
        try:
            parser.parse_args(shlex.split(line, comments=True)[1:])
        except SystemExit:
            pytest.fail(line)
