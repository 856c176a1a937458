"""Another master key: every wrap is replaced, no key is touched, and the service goes on.

    done, total = rotate(context)         # settings name the new master key, and the old one as the previous

Row by row: open the wrap under the old key, close it under the new one, write it back if nobody changed the row. A run
that was killed has left each row under one or the other, which a service that knows both can open; run again, it takes
up what is left. The root secret comes last: once it is moved, all is.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, cast

from sqlalchemy import CursorResult, select, update

from api.context import Context
from api.contracts.models import Party
from api.documents.models import Document
from api.envelopes.models import EnvelopeKey
from api.factors.models import Factor
from api.seals.models import Seal, SealMaker

Table = type[Party] | type[Seal] | type[SealMaker] | type[EnvelopeKey] | type[Document] | type[Factor]
TABLES: Final[tuple[Table, ...]] = (Party, Seal, SealMaker, EnvelopeKey, Document, Factor)
"""Where keys lie sealed, the passwords of documents, and signers' factors."""
BATCH = 100
"""Rows that are read and written together; the keys are used between, outside of any writing transaction."""


class Rotated(NamedTuple):
    """How many secrets were put under the new master key, and how many there are."""

    done: int
    total: int


def rotate(context: Context) -> Rotated:
    """Put everything under the master key of the settings. Raises VaultError, ServiceUnavailable."""
    done = total = 0
    for table in TABLES:
        last = ""
        while rows := _rows(context, table, last):
            made = {name: (old, new) for name, old in rows if (new := context.vault.rewrap(old)) is not None}
            with context.database.write() as session:
                for name, (old, new) in made.items():
                    statement = update(table).where(table.id == name, table.sealed_key == old).values(sealed_key=new)
                    done += cast("CursorResult[Any]", session.execute(statement)).rowcount
            total += len(rows)
            last = rows[-1][0]
    done += context.vault.rewrap_root(context.settings.vault)
    return Rotated(done, total + 1)


def _rows(context: Context, table: Table, after: str) -> list[tuple[str, bytes]]:
    query = select(table.id, table.sealed_key).where(table.sealed_key.is_not(None), table.id > after)
    with context.database.read() as session:
        return [(name, sealed) for name, sealed in session.execute(query.order_by(table.id).limit(BATCH)) if sealed]
