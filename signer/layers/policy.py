"""What a jurisdiction asks of a signature, as somebody wrote it down in a file: never law of our own.

    policy = load_policy(data)
    policy.jurisdiction, policy.basis, policy.conditions

TOML or JSON, schema "sealroad.policy/1" (docs/policy.schema.json). `basis` is the text of whoever wrote the file and is
printed word for word beside the result, with the SHA-256 of the file.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from signer.layers.conditions import Conditions, read_conditions
from signer.layers.reading import parse
from signer.report import BasisFile

SCHEMA = "sealroad.policy/1"
JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,8})?")


@dataclass(frozen=True)
class Policy:
    """One jurisdiction's conditions, and the file they came from."""

    jurisdiction: str
    """ISO 3166-1 code, or one with a part after a hyphen; XA to XZ for what is no country."""
    name: str
    version: str
    basis: str
    sha256: str
    conditions: Conditions
    valid_from: datetime | None
    valid_to: datetime | None
    """The last moment, inclusive, of the signing times the file is about."""

    def described(self) -> BasisFile:
        """Return what the report says about the file."""
        return BasisFile(
            "policy",
            self.name,
            self.sha256,
            jurisdiction=self.jurisdiction,
            version=self.version,
            text=self.basis,
        )


def load_policy(data: bytes) -> Policy:
    """Read a policy. Raises BasisError."""
    table = parse(data)
    if table.text("schema") != SCHEMA:
        raise table.fault("schema", f"this is not {SCHEMA}")
    jurisdiction = table.text("jurisdiction", most=11)
    if not JURISDICTION.fullmatch(jurisdiction):
        raise table.fault("jurisdiction", "this is no code such as CN, EU or XA")
    conditions = table.table("conditions")
    made = Policy(
        jurisdiction=jurisdiction,
        name=table.text("name", most=300),
        version=table.text("version", most=100),
        basis=table.text("basis"),
        sha256=hashlib.sha256(data).hexdigest(),
        conditions=read_conditions(conditions),
        valid_from=table.moment("valid_from"),
        valid_to=table.moment("valid_to"),
    )
    conditions.end()
    table.end()
    return made
