"""Write docs/openapi.json and docs/errors.md from the program itself; tests compare them.

python tools/api_docs.py
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from api.app import create_app
from api.config import Settings
from api.docs import error_rows
from api.errors import RETRY_AFTER

DOCS = Path(__file__).resolve().parents[1] / "docs"

HEAD = """# Errors

Every error of the HTTP API is an `application/problem+json` document (RFC 9457) with a stable `code`. Texts may
improve; codes and their meaning do not change. A running service shows the same table at `/docs/errors`. On the command
line an error is `sealroad: what happened`, a `hint:` line, and exit code 2.

This page is made by `python tools/api_docs.py`.

| code | status | meaning |
|---|---|---|
"""


def main() -> None:
    """Write both files."""
    with tempfile.TemporaryDirectory() as directory:
        schema = create_app(Settings(data=Path(directory))).openapi()
    (DOCS / "openapi.json").write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    rows = []
    for code, status, title, meaning, hint in error_rows():
        retry = f" Retry after {RETRY_AFTER[code]} s." if code in RETRY_AFTER else ""
        text = " ".join(part for part in (f"**{title}.**", meaning, hint) if part)
        rows.append(f"| `{code}` | {status} | {text}{retry} |".replace("\n", " "))
    (DOCS / "errors.md").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
