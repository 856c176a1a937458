"""One plain object for each kind of thing that `certs.describe` recognises.

of_certificate(certificate)            # {"kind": "certificate", "subject": …}
of_cms(encoded)                        # MalformedInput where it is none
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from certs import ber, oids, signature_policy, suites
from certs.alt_names import AltNames
from certs.certificate import Certificate
from certs.crl import ALL_REASONS, CRL
from certs.errors import CertsError, MalformedInput
from certs.extension_values import uris_of
from certs.names import Name
from certs.ocsp import OCSPResponse, SingleResponse
from certs.ocsp import read_request as read_ocsp_request
from certs.request import Request
from certs.signed_data import SignerView, parse_signed_data
from certs.timestamp import read_request, read_token

MAX_ENTRIES = 50
"""Entries of a revocation list that are shown."""


def of_certificate(certificate: Certificate) -> dict[str, Any]:
    """Describe a certificate; a self-signature is checked."""
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
        "extended_key_usage": sorted(map(readable_oid, certificate.extended_key_usage)),
        "subject_key_identifier": certificate.ski.hex() if certificate.ski else None,
        "authority_key_identifier": certificate.aki.hex() if certificate.aki else None,
        "crl_urls": list(certificate.crl_urls),
        "ocsp_urls": list(certificate.ocsp_urls),
        "extensions": [
            {"oid": readable_oid(item.oid), "critical": item.critical, "octets": len(item.value)}
            for item in certificate.extensions
        ],
        "fingerprint_sha256": certificate.fingerprint(),
        "problems": list(certificate.problems),
    }
    if certificate.self_issued:
        out["self_signature"] = _attempt(lambda: f"good ({certificate.verify_signed_by(certificate)})")
    return out


def of_certificate_request(data: bytes) -> dict[str, Any]:
    """Describe a PKCS#10 request; possession of the key is checked. Raises MalformedInput."""
    asked = Request(data)
    names = _attempt(lambda: asked.names)
    return {
        "kind": "certificate-request",
        "subject": asked.subject,
        "suite": _attempt(lambda: suites.for_spki(asked.spki).name),
        "signature_algorithm": _algorithm(asked.signature_algorithm),
        "names": [*names.emails, *names.dns, *names.ips] if isinstance(names, AltNames) else names,
        "attributes": [readable_oid(kind) for kind in asked.attributes],
        "extensions": _attempt(lambda: [readable_oid(item.oid) for item in asked.extensions]),
        "possession": _attempt(lambda: _possession(asked)),
    }


def _possession(asked: Request) -> str:
    """Say who proves, or states, that the requester has the key."""
    statement = asked.statement
    if statement is None:
        return f"good ({asked.verify()})"
    if statement.certificate is None:
        return f"stated by certificate {statement.serial:x} of {Name(statement.issuer)}, which is not in the request"
    asked.verify(statement.certificate)
    return f"stated by {statement.certificate.subject} ({statement.certificate.suite_name}), whom nobody has checked"


def of_crl(crl: CRL) -> dict[str, Any]:
    """Describe a revocation list. Raises MalformedInput for entries that cannot be read."""
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


def of_cms(data: bytes) -> dict[str, Any]:
    """Describe a SignedData or the time-stamp token that it is. Raises MalformedInput."""
    view = parse_signed_data(data)
    if view.content_type == oids.TST_INFO:
        return _token(data)
    said = _says(view.content)
    return {
        "kind": "signed-data",
        **({"statement": said} if said else {}),
        "outer_type": readable_oid(view.outer_oid),
        "content_type": readable_oid(view.content_type),
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
        "digest": readable_oid(signer.digest_oid),
        "signature_algorithm": readable_oid(signer.signature_algorithm.oid),
        "signing_time": _attempt(lambda: _time(signer.signing_time)),
        "signed_attributes": [readable_oid(kind) for kind, _ in signer.attributes],
        "policy": _attempt(lambda: _policy(signer)),
        "unsigned_attributes": [readable_oid(kind) for kind, _ in signer.unsigned_attributes],
        "signature": "content is elsewhere" if detached else _attempt(lambda: f"good ({signer.verify()})"),
    }


def _policy(signer: SignerView) -> dict[str, str] | str | None:
    """Return the rules that a signature says it was made under, such as a framework agreement."""
    values = signer.values(oids.SIGNATURE_POLICY)
    found = signature_policy.of_attributes(values)
    if found is None:
        return "implied" if values else None
    return {"oid": found.oid, "digest": readable_oid(found.digest_oid), "value": found.digest.hex()}


def _token(data: bytes) -> dict[str, Any]:
    token = read_token(data)

    def check() -> str:
        return f"good ({token.verify(token.digest_name, token.imprint)})"

    return {
        "kind": "time-stamp",
        "outer_type": readable_oid(token.outer_oid),
        "time": _time(token.gen_time),
        "accuracy_seconds": token.accuracy.total_seconds() if token.accuracy else None,
        "policy": readable_oid(token.policy),
        "serial": f"{token.serial:x}",
        "digest": readable_oid(token.digest_oid),
        "imprint": token.imprint.hex(),
        "nonce": f"{token.nonce:x}" if token.nonce is not None else None,
        "certificates": [item.subject for item in token.certificates],
        "signature": _attempt(check),
    }


def of_time_stamp_request(data: bytes) -> dict[str, Any]:
    """Describe a TimeStampReq. Raises MalformedInput."""
    request = read_request(data)
    return {
        "kind": "time-stamp-request",
        "digest": readable_oid(request.digest.oid),
        "imprint": request.imprint.hex(),
        "policy": readable_oid(request.policy) if request.policy else None,
        "nonce": f"{request.nonce:x}" if request.nonce is not None else None,
        "certificates_wanted": request.cert_req,
    }


def of_time_stamp_response(data: bytes) -> dict[str, Any]:
    """Describe a TimeStampResp and the token inside. Raises MalformedInput."""
    members = ber.load(data).members()
    status = members.next(ber.SEQUENCE).members().next().integer()
    body = members.optional(ber.SEQUENCE)
    members.end()
    return {"kind": "time-stamp-response", "status": status, "token": _token(body.raw()) if body else None}


def of_ocsp_request(data: bytes) -> dict[str, Any]:
    """Describe an OCSPRequest. Raises MalformedInput."""
    request = read_ocsp_request(data)
    return {
        "kind": "ocsp-request",
        "certificates": [
            {
                "serial": f"{item.serial:x}",
                "digest": readable_oid(item.digest_oid),
                "issuer_name_hash": item.name_hash.hex(),
                "issuer_key_hash": item.key_hash.hex(),
            }
            for item in request.cert_ids[:MAX_ENTRIES]
        ],
        "nonce": request.nonce.hex() if request.nonce is not None else None,
        "signed": request.signed,
    }


def of_ocsp_response(data: bytes) -> dict[str, Any]:
    """Describe an OCSPResponse. Raises MalformedInput."""
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


def of_public_key(encoded: bytes) -> dict[str, Any]:
    """Describe a SubjectPublicKeyInfo. Raises MalformedInput."""
    from certs import der, extensions

    der.split_spki(encoded)
    key = suites.load_public(encoded)
    return {
        "kind": "public-key",
        "suite": key.suite.name,
        "parameter": key.parameter,
        "key_identifier": extensions.key_id(encoded).hex(),
    }


def of_private_key(encoded: bytes) -> dict[str, Any]:
    """Describe a PKCS#8 key by its algorithm alone. Raises MalformedInput."""
    from certs import der

    algorithm, _ = der.split_pkcs8(encoded)
    return {"kind": "private-key", "encrypted": False, "form": f"PKCS#8 {readable_oid(algorithm.oid)}"}


def readable_oid(dotted: str) -> str:
    """Return an OID with its name, where it has one here."""
    name = oids.name(dotted)
    return dotted if name == dotted else f"{name} ({dotted})"


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def _algorithm(encoded: bytes) -> str:
    return readable_oid(ber.load(encoded).members().next().oid())


def _attempt(action: Any) -> Any:
    """Return what `action` returns, or a short sentence of why it could not."""
    try:
        return action()
    except CertsError as error:
        return f"{error.code}: {error}"
