"""Write docs/*.schema.json from the program itself; tests compare them.

python tools/schemas.py
"""

from __future__ import annotations

import json
from pathlib import Path

from signer import report_schema

DOCS = Path(__file__).resolve().parents[1] / "docs"


def schemas() -> dict[str, str]:
    """Return file name and content of each."""
    made = {
        "report.schema.json": report_schema.report_schema(),
        "agreement.schema.json": report_schema.agreement_schema(),
        "termination.schema.json": report_schema.termination_schema(),
        "signed-agreement.schema.json": report_schema.signed_agreement_schema(),
        "policy.schema.json": report_schema.policy_schema(),
    }
    return {name: json.dumps(schema, indent=1, ensure_ascii=False) + "\n" for name, schema in made.items()}


if __name__ == "__main__":
    for name, content in schemas().items():
        (DOCS / name).write_text(content, encoding="utf-8")
