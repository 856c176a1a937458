"""Many open contracts in a database, without doing for each what was done for the first.

    multiply(database, ["ctr_1", "ctr_2"], 10_000)

Every row that belongs to a contract (documents, parties with their keys, revisions, signatures, records, trail, jobs)
is copied under new identifiers, so that tables and indexes are as large as they would be. The files are the originals',
and the hashes of a copied trail are those of the original: nobody may check one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from api.agreements import models as _agreements  # noqa: F401 - so that all tables are known
from api.audit.models import AuditEvent
from api.contracts.models import Contract, ContractDocument, Party, Revision
from api.db import Database
from api.documents.models import Document
from api.jobs.models import Job, JobEvent
from api.kit.ids import new_id
from api.signing.models import Intent, Signature

BATCH = 250
"""Contracts written in one transaction."""
_ID = re.compile(r"\b(ctr|pty|doc|rev|sig|int|job|evt)_[0-9a-f]{32}\b")


def multiply(database: Database, originals: Sequence[str], count: int) -> None:
    """Make so many copies, taking the originals in turn."""
    with database.read() as session:
        found = [_rows(session.connection(), contract) for contract in originals]
    for start in range(0, count, BATCH):
        gathered: dict[Table, list[dict[str, Any]]] = {}
        for number in range(start, min(count, start + BATCH)):
            names: dict[str, str] = {}
            for table, rows in found[number % len(found)]:
                gathered.setdefault(table, []).extend(_copy(row, names) for row in rows)
        with database.write() as session:
            for table, rows in gathered.items():
                session.execute(insert(table), rows)


def _rows(connection: Connection, contract: str) -> list[tuple[Table, list[dict[str, Any]]]]:
    """Return the rows of a contract, those that others refer to first."""
    documents = select(ContractDocument.document_id).where(ContractDocument.contract_id == contract)
    parties = select(Party.id).where(Party.contract_id == contract)
    jobs = [
        row.id for row in connection.execute(select(Job.id, Job.payload)) if row.payload.get("contract") == contract
    ]
    queries = [
        select(Document.__table__).where(Document.id.in_(documents)),
        select(Contract.__table__).where(Contract.id == contract),
        select(Party.__table__).where(Party.contract_id == contract),
        select(ContractDocument.__table__).where(ContractDocument.contract_id == contract),
        select(Signature.__table__).where(Signature.contract_id == contract),
        select(Revision.__table__).where(Revision.contract_id == contract),
        select(Intent.__table__).where(Intent.party_id.in_(parties)),
        select(AuditEvent.__table__).where(AuditEvent.contract_id == contract),
        select(Job.__table__).where(Job.id.in_(jobs)),
        select(JobEvent.__table__).where(JobEvent.job_id.in_(jobs)),
    ]
    found = []
    for query in queries:
        table = query.get_final_froms()[0]
        assert isinstance(table, Table)
        found.append((table, [dict(row) for row in connection.execute(query).mappings()]))
    return found


def _copy(row: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    def renamed(match: re.Match[str]) -> str:
        return names.setdefault(match[0], new_id(match[1]))

    copied = {}
    for column, value in row.items():
        if isinstance(value, str):
            copied[column] = _ID.sub(renamed, value)
        elif isinstance(value, (dict, list)):
            copied[column] = json.loads(_ID.sub(renamed, json.dumps(value)))
        else:
            copied[column] = value
    return copied
