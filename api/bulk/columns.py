"""From cells to what a row says, and back from a fault to its column.

    sheet = Columns.of(["buyer.name", "buyer.inn", "external_id"], slots=["buyer"])      # ValidationFailed
    said, where = sheet.row(["Иван Петров", "7707083893", "A-1"])
    said                  # {"external_id": "A-1", "parties": [{"slot": "buyer", "name": …, "identifiers": [{…}]}]}
    where                 # {"buyer.identifiers.0": "buyer.inn"}
    column_of("buyer.identifiers.0.value", where)                                       # "buyer.inn"

A column is `title`, `external_id`, `expires_at`, `relates_to.contract`, `relates_to.kind`, or a slot and a field of a
party. National numbers have short names. How somebody was identified has one piece of evidence in a table; more of
them, and whatever else a party may say, can be said in JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.bulk.reading import MAX_CELL
from api.errors import ValidationFailed
from api.kit.refusals import pointer_to, problem_at
from certs.identifiers import SCHEMES

OF_ROWS: Final = ("title", "external_id", "expires_at", "relates_to.contract", "relates_to.kind")
PLAIN: Final = (
    *("name", "organisation", "email", "country", "locale", "person", "organisation_id"),
    *("suite", "certificate", "encryption_certificate", "seal", "reason", "location"),
)
NUMBERS: Final = {
    "uscc": "CN-USCC", "cn_id": "CN-ID", "inn": "RU-INN", "ogrn": "RU-OGRN", "ogrnip": "RU-OGRNIP",
    "snils": "RU-SNILS", "bin": "KZ-BIN", "iin": "KZ-IIN", "lei": "LEI",
}  # fmt: skip
PROOF: Final = ("method", "operator", "at", "valid_until", "source")
EVIDENCE: Final = ("sha256", "what")


@dataclass(frozen=True)
class Columns:
    """The columns of a table: names, in order; "" where a column has none."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str], slots: Sequence[str]) -> Columns:
        """Understand the names of columns. Raises ValidationFailed with every finding."""
        findings = []
        for index, name in enumerate(names):
            if name and name in names[:index]:
                findings.append(finding(1, name, "repeated", "there is a second column of this name"))
            elif name and not _known(name, slots):
                hint = f"known: {', '.join(OF_ROWS)}, and SLOT.FIELD with the slots {', '.join(slots)}"
                findings.append(finding(1, name[:200], "unknown-column", hint))
        if findings:
            raise ValidationFailed("the columns of the table are not right", errors=findings)
        return cls(tuple(names))

    def row(self, cells: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return what a row says, and where it says what stands elsewhere. Raises ValidationFailed."""
        said: dict[str, Any] = {}
        parties: dict[str, dict[str, Any]] = {}
        where: dict[str, str] = {}
        for index, cell in enumerate(cells):
            value, name = cell.strip(), self.names[index] if index < len(self.names) else ""
            if not value:
                continue
            if not name:
                detail = f"cell {index + 1} is in a column without a name"
                raise ValidationFailed(detail, errors=[problem_at("", "too-many-cells", detail)])
            if len(value) > MAX_CELL:
                detail = f"has more than {MAX_CELL} characters"
                raise ValidationFailed(detail, errors=[problem_at(name, "too-long", detail)])
            if name in OF_ROWS:
                outer, _, inner = name.partition(".")
                if inner:
                    said.setdefault(outer, {})[inner] = value
                else:
                    said[outer] = value
                continue
            slot, _, field = name.partition(".")
            _put(parties.setdefault(slot, {"slot": slot}), slot, field, value, where)
        return said | {"parties": list(parties.values())}, where


def _put(party: dict[str, Any], slot: str, field: str, value: str, where: dict[str, str]) -> None:
    head, _, rest = field.partition(".")
    scheme = NUMBERS.get(field) or (rest if head == "identifiers" else None)
    if scheme is not None:
        numbers = party.setdefault("identifiers", [])
        where[f"{slot}.identifiers.{len(numbers)}"] = f"{slot}.{field}"
        numbers.append({"scheme": scheme, "value": value})
    elif head == "identity_proof":
        proof = party.setdefault("identity_proof", {})
        if rest in EVIDENCE:
            proof.setdefault("evidence", [{}])[0][rest] = value
            where[f"{slot}.identity_proof.evidence.0.{rest}"] = f"{slot}.{field}"
        else:
            proof[rest] = value
    else:
        party[field] = value


def _known(name: str, slots: Sequence[str]) -> bool:
    slot, dot, field = name.partition(".")
    head, _, rest = field.partition(".")
    if name in OF_ROWS:
        return True
    if not dot or slot not in slots:
        return False
    return (
        field in PLAIN
        or field in NUMBERS
        or (head == "identifiers" and (rest in SCHEMES or rest[2:3] == "-" or rest[3:4] == "-"))
        or (head == "identity_proof" and rest in PROOF + EVIDENCE)
    )


def column_of(path: str, where: dict[str, str]) -> str:
    """Return the column in which a field was said."""
    for inner, column in where.items():
        if path == inner or path.startswith(f"{inner}."):
            return column
    return path


def finding(row: int, column: str, code: str, detail: str) -> dict[str, Any]:
    """Return one entry of `errors` about a table."""
    if not column:
        return problem_at(f"/rows/{row}", code, f"row {row}: {detail}")
    return problem_at(pointer_to(("rows", row, column)), code, f"row {row}, {column}: {detail}")
