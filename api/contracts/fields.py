"""Form fields of a contract: whose they are, where they stand, what stands in them.

    contract.fields = fields.drafted(contract, body.fields)            # ValidationFailed
    fields.stated(contract, party, {"price": "1 200 000 ¥"})           # checked, with what the sender put there
    SignOptions(…, **fields.options(contract, party, document_id))     # filled and locked by the party's signature

A field belongs to a place among the parties (`Party.position`), so a delegate takes it over with all else. Nothing of
it changes once the contract is sent; values come with the consent of whoever signs. Who does not sign fills nothing:
there would be no signature over it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from api.contracts import languages
from api.contracts.models import Contract, ContractDocument, Party
from api.contracts.workflow import SIGNS, PartyState
from api.errors import ValidationFailed
from api.kit.refusals import problem_at

if TYPE_CHECKING:
    from api.contracts.field_schemas import FieldIn
    from signer.forms import FormField

MAX_FIELDS: Final = 200
"""Fields of one contract."""
MAX_PLACES: Final = 400
"""Places of all of them."""
MAX_DRAWN: Final = 50_000
"""Characters that are drawn in all places together: a few seconds of setting rare hanzi."""
Value = str | bool


# A draft -------------------------------------------------------------------------------------------------------------
def drafted(contract: Contract, entries: Sequence[FieldIn] | None) -> list[dict[str, Any]] | None:
    """Return the definitions of a draft's fields, new ones or those it has. Raises ValidationFailed.

    Parties and documents are the contract's own, as they are now.
    """
    found = list(contract.fields or ()) if entries is None else [_definition(contract, entry) for entry in entries]
    errors = list(_objections(contract, found))
    if errors:
        raise ValidationFailed("some fields cannot be used", errors=errors)
    return found or None


def _definition(contract: Contract, entry: FieldIn) -> dict[str, Any]:
    by_id = {party.id: party.position for party in contract.parties}
    value = entry.value
    return {
        "name": entry.name,
        "party": by_id.get(entry.party, -1) if isinstance(entry.party, str) else entry.party,
        "kind": entry.kind,
        "label": entry.label,
        "required": entry.required,
        "max_length": entry.max_length,
        "value": _one_line_break(value) if value is not None else None,
        "places": [place.model_dump(mode="json") for place in entry.places],
    }


def _objections(contract: Contract, found: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    roles = {party.position: party.role for party in contract.parties}
    documents = {row.document_id for row in contract.documents}
    if len(found) > MAX_FIELDS or sum(len(each["places"]) for each in found) > MAX_PLACES:
        detail = f"a contract has at most {MAX_FIELDS} fields, in {MAX_PLACES} places"
        yield problem_at("/fields", "too-many", detail)
        return
    if _drawn(found, {}) > MAX_DRAWN:
        yield problem_at("/fields", "too-long", f"the values have more than {MAX_DRAWN} characters in all places")
        return
    seen: set[str] = set()
    for index, each in enumerate(found):
        pointer = f"/fields/{index}"
        if each["name"] in seen:
            yield problem_at(f"{pointer}/name", "repeated", "there is a field of that name")
        seen.add(each["name"])
        role = roles.get(each["party"])
        if role is None:
            yield problem_at(f"{pointer}/party", "not-found", "there is no such party")
        elif role not in SIGNS:
            yield problem_at(f"{pointer}/party", "does-not-sign", f"a party with the role {role} fills no fields")
        for place, where in enumerate(each["places"]):
            if where["document"] is not None and where["document"] not in documents:
                yield problem_at(f"{pointer}/places/{place}/document", "not-found", "not a document of the contract")


def digests_of(contract: Contract) -> dict[str, str] | None:
    """Return the digests of the definitions, as those of the documents' manifest are made; None for no fields."""
    if not contract.fields:
        return None
    return languages.digests_of({"schema": "sealroad.fields/1", "fields": contract.fields})


# Who and where -------------------------------------------------------------------------------------------------------
def filler_of(contract: Contract, definition: Mapping[str, Any]) -> Party:
    """Return the party that fills a field: whose place it was given to, or the delegate there."""
    here = [party for party in contract.parties if party.position == definition["party"]]
    return next((party for party in here if party.state != PartyState.DELEGATED), here[0])


def document_of(contract: Contract, place: Mapping[str, Any]) -> str:
    """Return the document that a place is in."""
    named = place["document"]
    return str(named) if named is not None else contract.documents[0].document_id


def placed(contract: Contract, row: ContractDocument) -> Iterator[tuple[int, int, FormField]]:
    """Yield what stands in one document: number of the field, of its place, and the field as the file has it."""
    from signer.forms import FormField

    for index, each in enumerate(contract.fields or ()):
        there = [
            (number, place)
            for number, place in enumerate(each["places"])
            if document_of(contract, place) == row.document_id
        ]
        for count, (number, place) in enumerate(there, 1):
            x1, y1, x2, y2 = place["box"]
            yield (
                index,
                number,
                FormField(
                    # two fields of one name would be one, which no reader compares place by place
                    name=each["name"] if count == 1 else f"{each['name']}:{count}",
                    page=place["page"],
                    box=(x1, y1, x2, y2),
                    kind=each["kind"],
                    label=each["label"] or "",
                    required=each["required"],
                    max_length=each["max_length"],
                    value=each["value"],
                    language=row.language or "",
                ),
            )


# Values --------------------------------------------------------------------------------------------------------------
def stated(contract: Contract, party: Party, given: Mapping[str, Value] | None) -> dict[str, Value] | None:
    """Return what a party states, with what the sender put there; None where it has no fields.

    Raises ValidationFailed with every objection.
    """
    from signer.forms.fields import answers, objections_to_value

    values = {name: _one_line_break(value) for name, value in (given or {}).items()}
    own = [each for each in contract.fields or () if filler_of(contract, each).id == party.id]
    names, all_names = {each["name"] for each in own}, {each["name"] for each in contract.fields or ()}
    errors = [
        problem_at(f"/values/{name}", "foreign", "this field is another party's")
        if name in all_names
        else problem_at(f"/values/{name}", "not-found", "there is no such field")
        for name in values
        if name not in names
    ]
    if not errors and _drawn(own, values) > MAX_DRAWN:
        detail = f"the values have more than {MAX_DRAWN} characters in all places"
        errors = [problem_at("/values", "too-long", detail)]
    if errors:
        raise ValidationFailed(f"a value cannot be taken: {errors[0]['detail']}", errors=errors)
    there: dict[int, list[FormField]] = {}
    for row in contract.documents:
        for index, _, field in placed(contract, row):
            there.setdefault(index, []).append(field)
    found: dict[str, Value] = {}
    for index, each in enumerate(contract.fields or ()):
        if each not in own:
            continue
        value = values.get(each["name"], each["value"])
        if each["required"] and not answers(value):
            errors.append(problem_at(f"/values/{each['name']}", "required", "the party has to fill this field"))
        elif value is not None:
            found[each["name"]] = value
            objections = (item for field in there.get(index, ()) for item in objections_to_value(field, value))
            first = next(objections, None)
            if first is not None:
                errors.append(problem_at(f"/values/{each['name']}", first.code, first.detail))
    if errors:
        raise ValidationFailed(f"a value cannot be taken: {errors[0]['detail']}", errors=errors)
    return found if own else None


def options(contract: Contract, party: Party, document_id: str) -> dict[str, Any]:
    """Return what the party's signature on a document fills in and locks."""
    from signer.forms import shown

    values, locks = [], []
    for row in contract.documents:
        for index, _, field in placed(contract, row) if row.document_id == document_id else ():
            definition = (contract.fields or [])[index]
            if filler_of(contract, definition).id != party.id:
                continue
            locks.append(field.name)
            value = (party.field_values or {}).get(definition["name"])
            before = field.value if field.value is not None else False if field.kind == "checkbox" else ""
            if value is not None and value != before:
                values.append((field.name, shown(field, value)))
    return {"values": tuple(values), "locks": tuple(locks)} if locks else {}


def on_record(contract: Contract, party: Party) -> list[dict[str, Any]]:
    """Return what a party agreed to fill in, for the record of its intent."""
    values = party.field_values or {}
    return [
        {"name": each["name"], "label": each["label"], "kind": each["kind"], "value": values[each["name"]]}
        for each in contract.fields or ()
        if filler_of(contract, each).id == party.id and each["name"] in values
    ]


def _drawn(definitions: Sequence[Mapping[str, Any]], values: Mapping[str, Value]) -> int:
    """Return how many characters are drawn, counting each place."""
    texts = ((values.get(each["name"], each["value"]), each["places"]) for each in definitions)
    return sum(len(text) * len(places) for text, places in texts if isinstance(text, str))


def _one_line_break(value: Value) -> Value:
    """Let a line end in one way only, however a browser sends it."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value
