"""Three routes by somebody who forgets whose an object is: one reads, one lists, one has an id in its body."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel
from sqlalchemy import select

from api.contracts.parts import DocumentID
from api.documents.models import Document
from api.errors import NotFound
from api.kit.edge import Reply, Router, Unit, reads

router = Router(prefix="/v1/leaks", tags=["leaks"])


class Leak(BaseModel):
    id: str


class Leaks(BaseModel):
    data: list[str]


class Question(BaseModel):
    document: DocumentID


def found(unit: Unit, name: str) -> str:
    with unit.read() as session:
        if session.get(Document, name) is None:
            raise NotFound("there is no such document")
    return name


@router.get("/{document_id}", response_model=Leak)
def read_leak(unit: Annotated[Unit, reads("documents:read")], document_id: str) -> Reply:
    return Reply(Leak(id=found(unit, document_id)))


@router.get("", response_model=Leaks)
def list_leaks(unit: Annotated[Unit, reads("documents:read")]) -> Reply:
    with unit.read() as session:
        return Reply(Leaks(data=list(session.scalars(select(Document.id)))))


@router.post("", response_model=Leak)
def ask_leak(unit: Annotated[Unit, reads("documents:read")], body: Question) -> Reply:
    found(unit, body.document)
    raise NotFound("it is somebody else's")
