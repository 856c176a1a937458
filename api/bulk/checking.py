"""Look at a whole table before anything is made of it.

    for row in checked(unit, draft, table): row.number, row.filled, row.findings

Every row becomes a contract draft, as it will later, and is asked what `send` would ask of it, as far as that is known
without issuing or signing anything. A finding names the row and the column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from api.bulk.columns import Columns, column_of, finding
from api.bulk.reading import Table, parsed
from api.contracts import relations, workflow
from api.contracts.readiness import foreseen
from api.contracts.rows import parties_of
from api.contracts.service import draft_of
from api.contracts.transition import agreement_of
from api.errors import Conflict, Forbidden, ValidationFailed, row_of
from api.kit.edge import Unit
from api.kit.refusals import problem_at, validated
from api.templates.filling import Draft, fill, narrowed, slots_of, told_as
from api.templates.schemas import FilledIn
from certs.errors import SealroadError


@dataclass(frozen=True)
class Checked:
    """A row, and what is wrong with it."""

    number: int
    filled: FilledIn | None
    where: dict[str, str] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)


def checked(unit: Unit, draft: Draft, table: Table) -> Iterator[Checked]:
    """Yield every row of a table. Raises ValidationFailed for its columns, Forbidden."""
    columns = Columns.of(table.columns, slots_of(draft)) if table.columns is not None else None
    seen: dict[str, int] = {}
    for number, record in table.records:
        findings: list[dict[str, Any]] = []
        filled, where = None, {}
        with _noted(findings, number):
            said, where = columns.row(record) if columns is not None else (parsed(record), {})
            filled = understood(said, where)
        if filled is not None:
            if filled.external_id is not None and seen.setdefault(filled.external_id, number) != number:
                first = seen[filled.external_id]
                findings.append(finding(number, "external_id", "repeated", f"row {first} has the same"))
            with _noted(findings, number):
                _object(unit, draft, filled, where, findings, number)
        yield Checked(number, filled, where, findings)


@contextmanager
def _noted(findings: list[dict[str, Any]], number: int) -> Iterator[None]:
    """Note what is wrong with a row, and go on; what is wrong with the request or the service is raised."""
    try:
        yield
    except SealroadError as error:
        if isinstance(error, Forbidden) or row_of(error.code).private:
            raise
        findings += findings_of(error, number)


def understood(said: Any, where: dict[str, str]) -> FilledIn:
    """Return what a row says. Raises ValidationFailed, by columns."""
    parties = said.get("parties") if isinstance(said, dict) else None
    listed = parties if isinstance(parties, list) else []
    names = [str(each.get("slot")) if isinstance(each, dict) else "parties" for each in listed]
    with by_column(names, where):
        return validated(FilledIn, said)


def findings_of(error: SealroadError, number: int) -> list[dict[str, Any]]:
    """Return what an error says of a row, column by column."""
    told = error.facts.get("errors") or [
        problem_at("external_id" if isinstance(error, Conflict) else "", error.code, error.message)
    ]
    return [
        finding(number, each["pointer"].removeprefix("/").replace("/", "."), each["code"], each["detail"])
        for each in told
    ]


def by_column(slots: Sequence[str], where: dict[str, str]) -> AbstractContextManager[None]:
    """Tell errors about parties, which are counted in the order of these slots, by the column of the table."""
    return told_as(lambda slot, rest: _column(slot, rest, where), slots)


def _object(
    unit: Unit, draft: Draft, filled: FilledIn, where: dict[str, str], findings: list[dict[str, Any]], number: int
) -> None:
    """Do without writing what will be done with a row, as far as that goes."""
    with by_column([value.slot for value in filled.parties], where):
        complete = narrowed(draft, filled.parties)
    slots = slots_of(draft)
    with by_column(slots, where):
        body = fill(complete, filled, unit.context.now())
    parties = []
    for slot, party in zip(slots, body.parties, strict=True):
        with _noted(findings, number), by_column([slot], where):
            parties += parties_of(unit, [party])
    contract = draft_of(unit, body, parties)
    if len(parties) < len(slots):
        return
    workflow.send(agreement_of(contract))
    with unit.read() as session:
        relations.check(session, contract)
    with by_column(slots, where):
        if found := foreseen(unit.context, contract):
            raise ValidationFailed(found[0]["detail"], errors=found)


def _column(slot: str, rest: str, where: dict[str, str]) -> str:
    return column_of(f"{slot}{rest.replace('/', '.')}", where)
