"""JSON Schema (2020-12) of a report, an agreement and a policy: the files docs/*.schema.json.

    report_schema()["$defs"]["signature"]["required"]

The words that can stand in a field come from the types themselves; tests compare the keys with what `to_json` writes
and validate every report the test suite makes. The schemas are open: fields are added, never renamed or removed.
"""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from certs import suites
from signer import report as r
from signer.layers import agreement, bundle, conditions, policy
from signer.text import LANGUAGES
from signer.text.answers import Question

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
MOMENT: Schema = {"type": "string", "format": "date-time"}
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
BOX: Schema = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
RESULT: Schema = {"enum": list(get_args(r.Result))}
SIGNATURE_VERDICTS = [verdict.value for verdict in r.Verdict if verdict is not r.Verdict.NO_SIGNATURE]


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _list(name: str) -> Schema:
    return {"type": "array", "items": _ref(name)}


def _words(holder: type, name: str) -> Schema:
    """Return the words that a field of a dataclass can hold."""
    return {"enum": list(get_args(get_type_hints(holder)[name]))}


def _object(properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def report_schema() -> Schema:
    """Return the schema of "sealroad.report/1": one file."""
    root = _object(
        {
            "schema": {"const": r.SCHEMA},
            "file": TEXT,
            "sha256": SHA256,
            "checked_at": MOMENT,
            "verdict": {"enum": [verdict.value for verdict in r.Verdict]},
            "answers": _list("answer"),
            "signatures": _list("signature"),
            "receipts": {"type": "array"},
            "warnings": _list("notice"),
            "trust": _object({"anchors": _list("anchor"), "count": {"type": "integer"}}),
            "bases": _list("basis"),
            "validation_time": MOMENT,
            "empty_fields": {"type": "array", "items": TEXT},
        },
        ("validation_time", "empty_fields"),
    )
    head = {"$schema": DIALECT, "title": "A report of sealroad verify on one file"}
    return head | root | {"$defs": _definitions()}


def _definitions() -> Schema:
    return {
        "answer": _object(
            {
                "question": {"enum": list(get_args(Question))},
                "answer": TEXT,
                "parameters": {"type": "object"},
                "lang": {"enum": list(LANGUAGES)},
                "sentence": TEXT,
            }
        ),
        "notice": _object({"code": TEXT, "detail": TEXT}),
        "anchor": _object({"subject": TEXT, "sha256": SHA256}),
        "check": _object(
            {"id": TEXT, "clause": TEXT, "result": RESULT, "detail": TEXT, "basis": TEXT}, optional=("basis",)
        ),
        "layer": _object({"result": RESULT, "basis": MAYBE_TEXT, "checks": _list("check")}, optional=("checks",)),
        "identifier": _object({"scheme": TEXT, "value": TEXT, "checksum_ok": {"type": ["boolean", "null"]}}),
        "signer": _signer(),
        "time": _object({"value": MOMENT, "source": _words(r.TimeReport, "source")}),
        "timestamp": _object(
            {
                "verdict": {"enum": SIGNATURE_VERDICTS},
                "sub_indication": MAYBE_TEXT,
                "gen_time": _maybe(MOMENT),
                "authority": TEXT,
                "authority_sha256": _maybe(SHA256),
                "suite": MAYBE_TEXT,
            }
        ),
        "revision": _object(
            {"index": {"type": "integer"}, "of": {"type": "integer"}, "covers_whole_file": {"type": "boolean"}}
        ),
        "changes": _object({"level": TEXT, "detail": {"type": "array", "items": TEXT}}),
        "place": _object(
            {"page": {"type": "integer"}, "box": BOX, "page_box": BOX, "rotation": {"enum": list(get_args(r.Rotation))}}
        ),
        "object": _object(
            {
                "kind": {"enum": list(get_args(r.ObjectKind))},
                "use": {"enum": list(get_args(r.ObjectUse))},
                "name": TEXT,
                "sha256": SHA256,
            }
        ),
        "seal": _seal(),
        "basis": _basis(),
        "signature": _signature(),
    }


def _signer() -> Schema:
    return _object(
        {
            "subject": TEXT,
            "issuer": TEXT,
            "serial": TEXT,
            "not_before": MOMENT,
            "not_after": MOMENT,
            "common_name": MAYBE_TEXT,
            "organisation": MAYBE_TEXT,
            "fingerprint_sha256": TEXT,
            "identifiers": _list("identifier"),
            "key": _object({"suite": MAYBE_TEXT, "parameter": MAYBE_TEXT}),
            "policies": {"type": "array", "items": TEXT},
        }
    )


def _seal() -> Schema:
    return _object(
        {
            "version": {"type": "integer"},
            "standard": TEXT,
            "id": TEXT,
            "name": TEXT,
            "type": {"type": "integer"},
            "vendor": TEXT,
            "maker": TEXT,
            "created": MOMENT,
            "valid_from": MOMENT,
            "valid_to": MOMENT,
            "filing_number": MAYBE_TEXT,
            "picture": _object(
                {"type": TEXT, "sha256": SHA256, "width_mm": {"type": "integer"}, "height_mm": {"type": "integer"}}
            ),
            "variants": {"type": "array", "items": TEXT},
        }
    )


def _basis() -> Schema:
    return _object(
        {
            "kind": _words(r.BasisFile, "kind"),
            "title": TEXT,
            "sha256": SHA256,
            "jurisdiction": MAYBE_TEXT,
            "version": MAYBE_TEXT,
            "text": TEXT,
            "details": {"type": "object", "additionalProperties": TEXT},
            "verdict": _maybe({"enum": [verdict.value for verdict in r.Verdict]}),
            "signatures": {
                "type": "array",
                "items": _object(
                    {
                        "verdict": {"enum": SIGNATURE_VERDICTS},
                        "sub_indication": MAYBE_TEXT,
                        "suite": MAYBE_TEXT,
                        "signer": _maybe(_ref("signer")),
                        "signed_at": _maybe(_ref("time")),
                    }
                ),
            },
        }
    )


def _signature() -> Schema:
    recognised = _object(
        {"jurisdiction": TEXT, "result": RESULT, "basis": MAYBE_TEXT, "checks": _list("check")}, optional=("checks",)
    )
    return _object(
        {
            "field": TEXT,
            "fields": {"type": "array", "items": TEXT},
            "kind": _words(r.SignatureReport, "kind"),
            "verdict": {"enum": SIGNATURE_VERDICTS},
            "sub_indication": MAYBE_TEXT,
            "reason": TEXT,
            "code": TEXT,
            "suite": MAYBE_TEXT,
            "signature_algorithm": MAYBE_TEXT,
            "digest_algorithm": MAYBE_TEXT,
            "subfilter": MAYBE_TEXT,
            "level": MAYBE_TEXT,
            "signer": _maybe(_ref("signer")),
            "signed_at": _maybe(_ref("time")),
            "timestamps": _list("timestamp"),
            "revision": _maybe(_ref("revision")),
            "changes_after": _maybe(_ref("changes")),
            "layers": _object(
                {
                    "cryptographic": _object({"result": RESULT}),
                    "agreed": _ref("layer"),
                    "recognised": {"type": "array", "items": recognised},
                }
            ),
            "answers": _list("answer"),
            "stated": {"type": "object", "additionalProperties": TEXT},
            "checks": _list("check"),
            "warnings": _list("notice"),
            "place": _maybe(_ref("place")),
            "more_places": _list("place"),
            "objects": _list("object"),
            "seal": _maybe(_ref("seal")),
            "policy": _maybe(
                _object({"oid": TEXT, "digest_algorithm": MAYBE_TEXT, "digest": TEXT, "readable": {"type": "boolean"}})
            ),
            "value_sha256": _maybe(SHA256),
        }
    )


# -- the two files a user writes: closed, as their readers are ------------------------------------------


def _closed(properties: Schema, required: tuple[str, ...]) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _some(items: Schema) -> Schema:
    return {"type": "array", "items": items, "minItems": 1}


DATE: Schema = {"type": "string", "description": "2026-11-21 or 2026-11-21T10:00:00Z; in TOML a date or date-time too"}
DIGEST: Schema = {"type": "string", "pattern": "^([0-9A-Fa-f]{2}[:\\s]*){32}$"}
CLAUSE: Schema = {"type": "string", "minLength": 1, "maxLength": 200}


def _conditions() -> Schema:
    suite: Schema = {"enum": list(suites.ALL_NAMES)}
    clauses = dict.fromkeys((*conditions.NAMES, "party", "valid"), CLAUSE)
    return {
        "clauses": {"type": "object", "properties": clauses, "additionalProperties": False},
        "suites": _some(suite),
        "digests": _some({"enum": list(conditions.DIGESTS)}),
        "key_sizes": {
            "type": "object",
            "propertyNames": suite,
            "additionalProperties": {"type": "integer", "minimum": 1, "maximum": conditions.MAX_BITS},
        },
        "authorities": _some(DIGEST),
        "anchors": _some(DIGEST),
        "trust_lists": _some(TEXT),
        "certificate_policies": _some({"type": "string", "pattern": "^[0-2](\\.\\d+)+$"}),
        "level": {"enum": list(conditions.LEVELS)},
        "time": {"enum": list(conditions.TIMES)},
        "time_authorities": _some(DIGEST),
        "receipts": {"type": "boolean"},
        "receipt_issuers": _some(DIGEST),
    }


def agreement_schema() -> Schema:
    """Return the schema of "sealroad.agreement/1"."""
    party = {
        "name": TEXT,
        "country": {"type": "string", "maxLength": 2},
        "identifiers": {
            "type": "array",
            "items": _closed({"scheme": TEXT, "value": TEXT}, ("scheme", "value")),
        },
        "certificates": _some(DIGEST),
        **_conditions(),
    }
    properties: Schema = {
        "schema": {"const": agreement.SCHEMA},
        "title": TEXT,
        "number": TEXT,
        "valid_from": DATE,
        "valid_to": DATE,
        "prevailing_language": {"enum": list(LANGUAGES)},
        "governing_law": TEXT,
        "forum": TEXT,
        "binding": {"enum": list(agreement.BINDINGS)},
        "supersedes": DIGEST,
        "retention_years": {"type": "integer", "minimum": 1, "maximum": agreement.MAX_YEARS},
        "notices": {
            "type": "array",
            "items": _closed(
                {
                    "of": {"enum": list(agreement.NOTICES)},
                    "within_hours": {"type": "integer", "minimum": 1, "maximum": agreement.MAX_HOURS},
                },
                ("of", "within_hours"),
            ),
        },
        "clauses": {
            "type": "object",
            "properties": dict.fromkeys(agreement.CLAUSES, CLAUSE),
            "additionalProperties": False,
        },
        "parties": _some(_closed(party, ("name",))),
    }
    head = {"$schema": DIALECT, "title": "A framework agreement on electronic signatures"}
    return head | _closed(properties, ("schema", "title", "parties"))


def termination_schema() -> Schema:
    """Return the schema of "sealroad.termination/1"."""
    properties: Schema = {
        "schema": {"const": agreement.TERMINATION},
        "title": TEXT,
        "terminates": DIGEST,
        "effective_from": DATE,
        "reason": TEXT,
    }
    head = {"$schema": DIALECT, "title": "The end of a framework agreement on electronic signatures"}
    return head | _closed(properties, ("schema", "title", "terminates", "effective_from"))


def signed_agreement_schema() -> Schema:
    """Return the schema of "sealroad.signed-agreement/1"."""
    octets: Schema = {"type": "string", "contentEncoding": "base64"}
    signed: Schema = {
        "octets": octets,
        "signatures": {"type": "array", "items": octets, "maxItems": bundle.MAX_SIGNATURES},
    }
    endings: Schema = {
        "type": "array",
        "items": _closed(signed, ("octets", "signatures")),
        "maxItems": bundle.MAX_ENDINGS,
    }
    properties: Schema = {"schema": {"const": bundle.SCHEMA}, **signed, "ended_by": endings}
    head = {"$schema": DIALECT, "title": "A framework agreement with the signatures on it, and what ended it"}
    return head | _closed(properties, ("schema", "octets", "signatures"))


def policy_schema() -> Schema:
    """Return the schema of "sealroad.policy/1"."""
    properties: Schema = {
        "schema": {"const": policy.SCHEMA},
        "jurisdiction": {"type": "string", "pattern": f"^{policy.JURISDICTION.pattern}$"},
        "name": TEXT,
        "version": TEXT,
        "basis": TEXT,
        "valid_from": DATE,
        "valid_to": DATE,
        "conditions": _closed(_conditions(), ()),
    }
    head = {"$schema": DIALECT, "title": "What a jurisdiction asks of a signature, as its author says"}
    return head | _closed(properties, ("schema", "jurisdiction", "name", "version", "basis"))
