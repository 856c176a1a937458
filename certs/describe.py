"""What is in a file of ours or anybody's: certificate, request, list, OCSP, time-stamp, CMS, key.

For people and for programs.

    objects = describe(data)               # [{"kind": "certificate", "subject": …}, …]
    print(as_text(objects))

Nothing is trusted and no chain is built; what can be checked alone (a self-signature, a token's or a CMS's signature
with the certificate inside) is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from certs import ber, oids, suites
from certs.alt_names import AltNames
from certs.certificate import Certificate
from certs.crl import ALL_REASONS, CRL
from certs.errors import CertsError, MalformedInput
from certs.extension_values import uris_of
from certs.ocsp import OCSPResponse, SingleResponse
from certs.ocsp import read_request as read_ocsp_request
from certs.pem import pem_blocks
from certs.request import LABELS as REQUEST_LABELS
from certs.request import Request
from certs.signed_data import SIGNED_DATA_OIDS, SignerView, parse_signed_data
from certs.timestamp import read_request, read_token

_CERTIFICATES = ("CERTIFICATE", "X509 CERTIFICATE")
_CMS = ("PKCS7", "CMS", "PKCS #7 SIGNED DATA")
MAX_ENTRIES = 50
"""Entries of a revocation list that are shown."""


def describe(data: bytes) -> list[dict[str, Any]]:
    """Return one plain object per thing in PEM or DER `data`. Raises MalformedInput where nothing is recognised."""
    is_json = data.lstrip()[:1] == b"{"  # which may hold PEM in its strings
    blocks = () if is_json else pem_blocks(data)
    if blocks:
        return [_describe_pem(label, encoded) for label, encoded in blocks]
    if is_json:
        return [_describe_json(data)]
    if data[:5] == b"%PDF-":
        raise MalformedInput("a PDF", hint="use 'sealroad verify' to see its signatures")
    return [_describe_der(data)]


def _describe_pem(label: str, encoded: bytes) -> dict[str, Any]:
    if label in _CERTIFICATES:
        return _certificate(Certificate(encoded))
    if label == "X509 CRL":
        return _crl(CRL(encoded))
    if label in _CMS:
        return _cms(encoded)
    if label in REQUEST_LABELS:
        return _certificate_request(encoded)
    if label == "PUBLIC KEY":
        return _public_key(encoded)
    if label.endswith("PRIVATE KEY"):
        return {"kind": "private-key", "encrypted": label.startswith("ENCRYPTED"), "form": label}
    return {"kind": "unknown", "label": label, "octets": len(encoded)}


def _describe_json(data: bytes) -> dict[str, Any]:
    """Describe one of our JSON files: an application with its approvals, or a proof from the audit log."""
    from certs import application, canonical

    value = canonical.read(data)
    schema = value.get("schema") if isinstance(value, dict) else None
    if schema in (application.SCHEMA, application.DOSSIER):
        dossier = application.parse(data)
        return {
            "kind": "application",
            "digest": dossier.application.digest,
            **dossier.application.value(),
            "approvals": [_statement(item) for item in dossier.approvals],
        }
    if isinstance(schema, str) and schema.startswith("sealroad.audit."):
        from certs.audit import log, proof

        value = proof.parse_proof(data)
        entries = value.get("entries")
        if entries is not None:
            value["entries"] = [proof.sentence(log.parse_entry(item["entry"].encode())) for item in entries]
        return {"kind": "proof", **value}
    raise MalformedInput("JSON of no schema we know")


def _statement(encoded: bytes) -> dict[str, Any]:
    """Describe a CMS over one of our signed statements by what it says and who signed it."""
    described = _cms(encoded)
    signers = described["signers"]
    return {
        **described.get("statement", {}),
        "signer": signers[0]["signer"] if signers else None,
        "signature": signers[0]["signature"] if signers else None,
    }


def _says(content: bytes | None) -> dict[str, Any] | None:
    """Return the members of a signed statement of ours: a checkpoint or an approval."""
    from certs import canonical

    if content is None or content[:1] != b"{":
        return None
    try:
        value = canonical.decode(content, limit=4096)
    except MalformedInput:
        return None
    return value if isinstance(value, dict) and str(value.get("schema")).startswith("sealroad.") else None


def _describe_der(data: bytes) -> dict[str, Any]:
    value = ber.load(data, padding=True).expect(ber.SEQUENCE)
    first = next(iter(value), None)
    if first is None:
        raise MalformedInput("an empty SEQUENCE")
    if first.tag == ber.OBJECT_IDENTIFIER:
        if first.oid() in SIGNED_DATA_OIDS:
            return _cms(data)
        return {"kind": "content-info", "content_type": _oid(first.oid())}
    if first.tag == ber.ENUMERATED:
        return _ocsp_response(data)
    readers = (
        *(_certificate_der, _crl_der, _certificate_request, _request),
        *(_response, _ocsp_request, _public_key, _private_key),
    )
    for reader in readers:
        try:
            return reader(data)
        except MalformedInput:
            continue
    raise MalformedInput(
        "nothing we know",
        hint="certificates, requests, revocation lists, OCSP, time-stamps, CMS signatures and keys are recognised",
    )


def _certificate_der(data: bytes) -> dict[str, Any]:
    return _certificate(Certificate(data))


def _crl_der(data: bytes) -> dict[str, Any]:
    return _crl(CRL(data))


def _oid(dotted: str) -> str:
    name = oids.name(dotted)
    return dotted if name == dotted else f"{name} ({dotted})"


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def _algorithm(encoded: bytes) -> str:
    return _oid(ber.load(encoded).members().next().oid())


def _attempt(action: Any) -> Any:
    """Return what `action` returns, or a short sentence of why it could not."""
    try:
        return action()
    except CertsError as error:
        return f"{error.code}: {error}"


def _certificate(certificate: Certificate) -> dict[str, Any]:
    out: dict[str, Any] = {
        "kind": "certificate",
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": certificate.serial_hex,
        "not_before": _time(certificate.not_before),
        "not_after": _time(certificate.not_after),
        "suite": certificate.suite_name,
        "signature_algorithm": _algorithm(certificate.signature_algorithm),
        "identifiers": [
            {"scheme": item.scheme, "value": item.value, "checksum_ok": item.checksum_ok}
            for item in certificate.identifiers
        ],
        "authority": certificate.is_ca,
        "path_length": certificate.path_length,
        "key_usage": sorted(certificate.key_usage),
        "extended_key_usage": sorted(map(_oid, certificate.extended_key_usage)),
        "subject_key_identifier": certificate.ski.hex() if certificate.ski else None,
        "authority_key_identifier": certificate.aki.hex() if certificate.aki else None,
        "crl_urls": list(certificate.crl_urls),
        "ocsp_urls": list(certificate.ocsp_urls),
        "extensions": [
            {"oid": _oid(item.oid), "critical": item.critical, "octets": len(item.value)}
            for item in certificate.extensions
        ],
        "fingerprint_sha256": certificate.fingerprint(),
        "problems": list(certificate.problems),
    }
    if certificate.self_issued:
        out["self_signature"] = _attempt(lambda: f"good ({certificate.verify_signed_by(certificate)})")
    return out


def _certificate_request(data: bytes) -> dict[str, Any]:
    asked = Request(data)
    names = _attempt(lambda: asked.names)
    return {
        "kind": "certificate-request",
        "subject": asked.subject,
        "suite": _attempt(lambda: suites.for_spki(asked.spki).name),
        "signature_algorithm": _algorithm(asked.signature_algorithm),
        "names": [*names.emails, *names.dns, *names.ips] if isinstance(names, AltNames) else names,
        "attributes": [_oid(kind) for kind in asked.attributes],
        "extensions": _attempt(lambda: [_oid(item.oid) for item in asked.extensions]),
        "possession": _attempt(lambda: f"good ({asked.verify()})"),
    }


def _crl(crl: CRL) -> dict[str, Any]:
    entries = crl.entries
    shown = list(entries.items())[:MAX_ENTRIES]
    scope = crl.scope
    limits = {
        "points": list(uris_of(scope.names)),
        "only_users": scope.only_users,
        "only_authorities": scope.only_authorities,
        "only_attributes": scope.only_attributes,
        "some_reasons": scope.reasons != ALL_REASONS,
        "indirect": scope.indirect,
    }
    return {
        "kind": "crl",
        "issuer": crl.issuer,
        "number": crl.number,
        "delta_to": crl.base_number,
        "this_update": _time(crl.this_update),
        "next_update": _time(crl.next_update),
        "signature_algorithm": _algorithm(crl.signature_algorithm),
        "authority_key_identifier": crl.aki.hex() if crl.aki else None,
        "limited_to": {name: value for name, value in limits.items() if value},
        "delta_urls": [uri for point in crl.freshest_points for uri in point.uris],
        "expired_since": _time(crl.expired_since) if crl.expired_since else None,
        "revoked": len(entries),
        "entries": [
            {"serial": f"{serial:x}", "at": _time(entry.at), "reason": entry.reason}
            | ({"invalid_since": _time(entry.invalid_since)} if entry.invalid_since else {})
            for serial, entry in shown
        ],
    }


def _cms(data: bytes) -> dict[str, Any]:
    view = parse_signed_data(data)
    if view.content_type == oids.TST_INFO:
        return _token(data)
    said = _says(view.content)
    return {
        "kind": "signed-data",
        **({"statement": said} if said else {}),
        "outer_type": _oid(view.outer_oid),
        "content_type": _oid(view.content_type),
        "content_octets": None if view.content is None else len(view.content),
        "certificates": [item.subject for item in view.certificates],
        "crls": len(view.crls),
        "signers": [_signer(signer, detached=view.content is None) for signer in view.signers],
    }


def _signer(signer: SignerView, *, detached: bool) -> dict[str, Any]:
    certificate = signer.certificate
    return {
        "signer": certificate.subject if certificate else None,
        "serial": f"{signer.serial:x}" if signer.serial is not None else None,
        "key_identifier": signer.ski.hex() if signer.ski else None,
        "digest": _oid(signer.digest_oid),
        "signature_algorithm": _oid(signer.signature_algorithm.oid),
        "signing_time": _attempt(lambda: _time(signer.signing_time)),
        "signed_attributes": [_oid(kind) for kind, _ in signer.attributes],
        "unsigned_attributes": [_oid(kind) for kind, _ in signer.unsigned_attributes],
        "signature": "content is elsewhere" if detached else _attempt(lambda: f"good ({signer.verify()})"),
    }


def _token(data: bytes) -> dict[str, Any]:
    token = read_token(data)

    def check() -> str:
        return f"good ({token.verify(token.digest_name, token.imprint)})"

    return {
        "kind": "time-stamp",
        "outer_type": _oid(token.outer_oid),
        "time": _time(token.gen_time),
        "accuracy_seconds": token.accuracy.total_seconds() if token.accuracy else None,
        "policy": _oid(token.policy),
        "serial": f"{token.serial:x}",
        "digest": _oid(token.digest_oid),
        "imprint": token.imprint.hex(),
        "nonce": f"{token.nonce:x}" if token.nonce is not None else None,
        "certificates": [item.subject for item in token.certificates],
        "signature": _attempt(check),
    }


def _request(data: bytes) -> dict[str, Any]:
    request = read_request(data)
    return {
        "kind": "time-stamp-request",
        "digest": _oid(request.digest.oid),
        "imprint": request.imprint.hex(),
        "policy": _oid(request.policy) if request.policy else None,
        "nonce": f"{request.nonce:x}" if request.nonce is not None else None,
        "certificates_wanted": request.cert_req,
    }


def _response(data: bytes) -> dict[str, Any]:
    members = ber.load(data).members()
    status = members.next(ber.SEQUENCE).members().next().integer()
    body = members.optional(ber.SEQUENCE)
    members.end()
    return {"kind": "time-stamp-response", "status": status, "token": _token(body.raw()) if body else None}


def _ocsp_request(data: bytes) -> dict[str, Any]:
    request = read_ocsp_request(data)
    return {
        "kind": "ocsp-request",
        "certificates": [
            {
                "serial": f"{item.serial:x}",
                "digest": _oid(item.digest_oid),
                "issuer_name_hash": item.name_hash.hex(),
                "issuer_key_hash": item.key_hash.hex(),
            }
            for item in request.cert_ids[:MAX_ENTRIES]
        ],
        "nonce": request.nonce.hex() if request.nonce is not None else None,
        "signed": request.signed,
    }


def _ocsp_response(data: bytes) -> dict[str, Any]:
    response = OCSPResponse(data)
    if response.status != "successful":
        return {"kind": "ocsp-response", "status": response.status}
    key, nonce = response.responder_key_hash, response.nonce
    return {
        "kind": "ocsp-response",
        "status": response.status,
        "responder": str(response.responder_name) if response.responder_name else None,
        "responder_key_hash": key.hex() if key else None,
        "produced_at": _time(response.produced_at),
        "signature_algorithm": _algorithm(response.signature_algorithm),
        "signature": _ocsp_signature(response),
        "certificates": [item.subject for item in response.certificates],
        "nonce": nonce.hex() if nonce is not None else None,
        "answers": [_ocsp_single(item) for item in response.responses[:MAX_ENTRIES]],
    }


def _ocsp_signature(response: OCSPResponse) -> str:
    for certificate in response.certificates:
        if response.is_named(certificate):
            return str(_attempt(lambda: f"good ({response.verify_signed_by(certificate)})"))  # noqa: B023 - called here
    return "the responder's certificate is elsewhere"


def _ocsp_single(single: SingleResponse) -> dict[str, Any]:
    return {
        "serial": f"{single.cert_id.serial:x}",
        "status": single.status,
        "this_update": _time(single.this_update),
        "next_update": _time(single.next_update),
        "revoked_at": _time(single.revoked_at),
        "reason": single.reason,
    }


def _public_key(encoded: bytes) -> dict[str, Any]:
    from certs import der, extensions

    der.split_spki(encoded)
    key = suites.load_public(encoded)
    return {
        "kind": "public-key",
        "suite": key.suite.name,
        "parameter": key.parameter,
        "key_identifier": extensions.key_id(encoded).hex(),
    }


def _private_key(encoded: bytes) -> dict[str, Any]:
    from certs import der

    algorithm, _ = der.split_pkcs8(encoded)
    return {"kind": "private-key", "encrypted": False, "form": f"PKCS#8 {_oid(algorithm.oid)}"}


def as_text(objects: Iterable[dict[str, Any]]) -> str:
    """Return the objects as indented lines; what is absent or empty is left out."""
    return "\n".join("\n".join(_lines(item, 0)) for item in objects) + "\n"


def _lines(item: dict[str, Any], depth: int) -> Iterable[str]:
    pad = "  " * depth
    for key, value in item.items():
        if value is None or value in ([], {}, ""):
            continue
        label = key.replace("_", " ")
        if key == "kind":
            yield f"{pad}{str(value).replace('-', ' ')}"
        elif isinstance(value, dict):
            yield f"{pad}  {label}:"
            yield from _lines(value, depth + 2)
        elif isinstance(value, list):
            yield f"{pad}  {label}:"
            for member in value:
                if isinstance(member, dict):
                    flat = ", ".join(
                        f"{name.replace('_', ' ')} {_word(inner)}" for name, inner in member.items() if inner
                    )
                    yield f"{pad}    {flat}"
                else:
                    yield f"{pad}    {member}"
        else:
            yield f"{pad}  {label}: {_word(value)}"


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return str(value)
