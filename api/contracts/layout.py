"""The documents of a contract as they are sent: what was uploaded, with the form fields laid out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from api.context import Context
from api.contracts import fields
from api.contracts.models import Contract, ContractDocument
from api.documents.opening import credentials_of
from api.kit.files import file_chunks
from api.kit.refusals import problem_at
from api.signing import pdf
from certs.errors import SealroadError
from signer.errors import FormRefused

if TYPE_CHECKING:
    from signer.forms import FormField


@dataclass(frozen=True)
class Layout:
    """A document as it is sent."""

    sha256: str
    size: int


def lay_out(context: Context, contract: Contract) -> tuple[dict[str, Layout], list[dict[str, str]]]:
    """Make the documents as they are sent, by their ids, and return with them what is wrong with the fields."""
    layouts: dict[str, Layout] = {}
    findings = _in_some_versions_only(contract)
    for index, row in enumerate(contract.documents):
        layouts[row.document_id] = Layout(row.document.sha256, row.document.size)
        there = list(fields.placed(contract, row))
        if not there:
            continue
        pointers = {field.name: f"/fields/{number}/places/{place}" for number, place, field in there}
        try:
            layouts[row.document_id] = _laid_out(context, contract, row, there)
        except FormRefused as error:
            findings += [
                problem_at(pointers.get(item.field, f"/documents/{index}"), item.code, item.detail)
                for item in error.facts["objections"]
            ]
        except SealroadError as error:
            findings.append(problem_at(f"/documents/{index}", error.code, error.message))
    return layouts, findings


def _laid_out(
    context: Context, contract: Contract, row: ContractDocument, there: list[tuple[int, int, FormField]]
) -> Layout:
    from signer.forms import lay_out as lay_out_file

    with context.storage.scratch() as directory, context.storage.local(row.document.sha256) as source:
        occupied = [
            place for party in contract.parties for place in pdf.places_of(context, contract, party, row, source)
        ]
        target: Path = directory / "fields.pdf"
        lay_out_file(
            source,
            target,
            [field for _, _, field in there],
            occupied=occupied,
            credentials=credentials_of(context, row.document),
        )
        with context.storage.receive(file_chunks(target)) as received:
            context.storage.keep(received)
    return Layout(received.sha256, received.size)


def _in_some_versions_only(contract: Contract) -> list[dict[str, str]]:
    """Refuse a field that one language version has and another lacks: they would not say the same."""
    versions: dict[str, set[str]] = {}
    for row in contract.documents:
        versions.setdefault(row.version_of or row.document_id, set()).add(row.document_id)
    found = []
    for index, each in enumerate(contract.fields or ()):
        having = {fields.document_of(contract, place) for place in each["places"]}
        if any(having & group and group - having for group in versions.values()):
            detail = "the field stands in some language versions of a document and not in others"
            found.append(problem_at(f"/fields/{index}/places", "missing-version", detail))
    return found
