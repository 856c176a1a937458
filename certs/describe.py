"""What is in a file of ours or anybody's: certificate, request, list, OCSP, time-stamp, CMS, key, power of attorney.

For people and for programs.

    objects = describe(data)               # [{"kind": "certificate", "subject": …}, …]
    print(as_text(objects))

Nothing is trusted and no chain is built; what can be checked alone (a self-signature, a token's or a CMS's signature
with the certificate inside) is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from certs import ber
from certs.certificate import Certificate
from certs.crl import CRL
from certs.describe_kinds import (
    of_certificate,
    of_certificate_request,
    of_cms,
    of_crl,
    of_ocsp_request,
    of_ocsp_response,
    of_private_key,
    of_public_key,
    of_time_stamp_request,
    of_time_stamp_response,
    readable_oid,
)
from certs.errors import MalformedInput
from certs.pem import pem_blocks
from certs.request import LABELS as REQUEST_LABELS
from certs.signed_data import SIGNED_DATA_OIDS

_CERTIFICATES = ("CERTIFICATE", "X509 CERTIFICATE")
_CMS = ("PKCS7", "CMS", "PKCS #7 SIGNED DATA")


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
    if data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        from certs.mandates.describe import of_mandate

        return [of_mandate(data)]
    return [_describe_der(data)]


def _describe_pem(label: str, encoded: bytes) -> dict[str, Any]:
    if label in _CERTIFICATES:
        return of_certificate(Certificate(encoded))
    if label == "X509 CRL":
        return of_crl(CRL(encoded))
    if label in _CMS:
        return _describe_der(encoded)
    if label == "SM2 ENVELOPED KEY":
        return {"kind": "delivered-key", "form": "SM2EnvelopedKey", "octets": len(encoded)}
    if label in REQUEST_LABELS:
        return of_certificate_request(encoded)
    if label == "PUBLIC KEY":
        return of_public_key(encoded)
    if label.endswith("PRIVATE KEY"):
        return {"kind": "private-key", "encrypted": label.startswith("ENCRYPTED"), "form": label}
    return {"kind": "unknown", "label": label, "octets": len(encoded)}


def _describe_json(data: bytes) -> dict[str, Any]:
    """Describe one of our JSON files: an application or a recovery with its approvals, or a proof from the log."""
    from certs import application, canonical, escrow

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
    if schema == escrow.REQUEST:
        request = escrow.parse(data)
        return {
            "kind": "key-recovery",
            "digest": request.recovery.digest,
            **request.recovery.value(),
            "recipient": request.recovery.recipient.subject,
            "recipient_sha256": request.recovery.recipient.fingerprint(),
            "approvals": [_statement(item) for item in request.approvals],
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
    described = of_cms(encoded)
    signers = described["signers"]
    return {
        **described.get("statement", {}),
        "signer": signers[0]["signer"] if signers else None,
        "signature": signers[0]["signature"] if signers else None,
    }


def _describe_der(data: bytes) -> dict[str, Any]:
    value = ber.load(data, padding=True).expect(ber.SEQUENCE)
    first = next(iter(value), None)
    if first is None:
        raise MalformedInput("an empty SEQUENCE")
    if first.tag == ber.OBJECT_IDENTIFIER:
        if first.oid() in SIGNED_DATA_OIDS:
            return of_cms(data)
        return {"kind": "content-info", "content_type": readable_oid(first.oid())}
    if first.tag == ber.ENUMERATED:
        return of_ocsp_response(data)
    readers = (
        *(_certificate_der, _crl_der, of_certificate_request, of_time_stamp_request),
        *(of_time_stamp_response, of_ocsp_request, of_public_key, of_private_key),
    )
    for reader in readers:
        try:
            return reader(data)
        except MalformedInput:
            continue
    if b"\x16\x02ES\x02" in data[:64]:  # header of an electronic seal, in the seal itself or in a seal signature
        raise MalformedInput("an electronic seal", hint="use 'sealroad seal show' to see what it says")
    raise MalformedInput(
        "nothing we know",
        hint="certificates, requests, revocation lists, OCSP, time-stamps, CMS signatures and keys are recognised",
    )


def _certificate_der(data: bytes) -> dict[str, Any]:
    return of_certificate(Certificate(data))


def _crl_der(data: bytes) -> dict[str, Any]:
    return of_crl(CRL(data))


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
