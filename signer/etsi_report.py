"""A validation report in XML, as ETSI TS 119 102-2 V1.4.1 has it (namespace http://uri.etsi.org/19102/v1.4.1#).

    xml = document((report,))

What the standard has no word for is left out or stands in OtherInformation: our code GENERIC has no URI there, so the
sub-indication is left out then, and a file without a signature, which is no case of the standard, is one INDETERMINATE
without identifier that says NO-SIGNATURE. Checks are validation constraints with URNs of our own, the two upper layers
too. The report is not signed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import get_args
from xml.etree import ElementTree as ET

from signer.report import CheckResult, ObjectUse, Report, Result, SignatureReport, ValidationObject, Verdict, stamp
from signer.text.cleaning import clean

VR = "http://uri.etsi.org/19102/v1.4.1#"
DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
URN = "urn:etsi:019102"
OURS = "urn:sealroad:check:"
"""Prefix of the identifiers of our checks and layers."""

_MAIN = {
    Verdict.TOTAL_PASSED: "total-passed",
    Verdict.TOTAL_FAILED: "total-failed",
    Verdict.INDETERMINATE: "indeterminate",
    Verdict.NO_SIGNATURE: "indeterminate",
}
_CONSTRAINT: dict[Result, str] = {"passed": "passed", "failed": "failed", "not-checked": "indeterminate"}
_KIND = {"certificate": "certificate", "crl": "CRL", "ocsp": "OCSPResponse", "timestamp": "timestamp"}
SUB_INDICATIONS = frozenset(
    {
        *("FORMAT_FAILURE", "HASH_FAILURE", "SIG_CRYPTO_FAILURE", "REVOKED", "EXPIRED", "NOT_YET_VALID"),
        *("SIG_CONSTRAINTS_FAILURE", "CHAIN_CONSTRAINTS_FAILURE", "CERTIFICATE_CHAIN_GENERAL_FAILURE"),
        *("CRYPTO_CONSTRAINTS_FAILURE", "CRYPTO_CONSTRAINTS_FAILURE_NO_POE", "POLICY_PROCESSING_ERROR"),
        *("SIGNATURE_POLICY_NOT_AVAILABLE", "TIMESTAMP_ORDER_FAILURE", "NO_SIGNING_CERTIFICATE_FOUND"),
        *("NO_CERTIFICATE_CHAIN_FOUND", "NO_CERTIFICATE_CHAIN_FOUND_NO_POE", "REVOKED_NO_POE", "REVOKED_CA_NO_POE"),
        *("OUT_OF_BOUNDS_NO_POE", "OUT_OF_BOUNDS_NOT_REVOKED", "REVOCATION_OUT_OF_BOUNDS_NO_POE", "NO_POE"),
        *("TRY_LATER", "SIGNED_DATA_NOT_FOUND"),
    }
)
"""Those that have a URI."""

for _prefix, _namespace in (("vr", VR), ("ds", DS), ("xades", XADES)):
    ET.register_namespace(_prefix, _namespace)


def document(reports: Iterable[Report]) -> bytes:
    """Return one ValidationReport about all signatures of all reports, UTF-8. `reports` are taken one by one."""
    made = ETSIReport()
    for report in reports:
        made.add(report)
    return made.encode()


class ETSIReport:
    """The root element and the validation objects, each once."""

    def __init__(self) -> None:
        self._root = ET.Element(f"{{{VR}}}ValidationReport")
        self._objects: dict[str, ET.Element] = {}
        self._files = 0

    def encode(self) -> bytes:
        """Return the whole document."""
        if self._objects:
            holder = _sub(self._root, "SignatureValidationObjects")
            holder.extend(self._objects.values())
        ET.indent(self._root, " ")
        body: bytes = ET.tostring(self._root, encoding="utf-8", xml_declaration=True)
        return body + b"\n"

    def add(self, report: Report) -> None:
        """Add every signature of a report."""
        self._files += 1
        file = self._file(report)
        if not report.signatures:
            node = _sub(self._root, "SignatureValidationReport")
            self._time(node, report, None)
            _document(node, file)
            _sub(_sub(node, "SignatureValidationStatus"), "MainIndication", f"{URN}:mainindication:indeterminate")
            _sub(node, "OtherInformation", f"NO-SIGNATURE: {report.file} carries no signature")
        for number, signature in enumerate(report.signatures, 1):
            self._signature(report, signature, f"S{self._files}-{number}", file)

    def _signature(self, report: Report, signature: SignatureReport, name: str, file: str) -> None:
        node = _sub(self._root, "SignatureValidationReport")
        identifier = _sub(node, "SignatureIdentifier", id=name)
        if signature.value:
            value = ET.SubElement(identifier, f"{{{DS}}}SignatureValue")
            value.text = base64.b64encode(signature.value).decode("ascii")
        _sub(identifier, "HashOnly", "false")
        _sub(identifier, "DocHashOnly", "false")
        if signature.field:
            _sub(identifier, "OtherInformation", f"field {signature.field}")
        self._constraints(node, signature)
        self._time(node, report, signature)
        _document(node, file)
        _attributes(node, signature)
        references = {use: [self._object(o) for o in signature.objects if o.use == use] for use in _USES}
        if references["signer"] and signature.signer is not None:
            who = _sub(node, "SignerInformation")
            _sub(who, "SignerCertificate", VOReference=references["signer"][0])
            _sub(who, "Signer", signature.signer.subject)
        process = "LTVM" if signature.timestamps else "Basic"
        _sub(
            _sub(node, "SignatureValidationProcess"),
            "SignatureValidationProcessID",
            f"{URN}:validationprocess:{process}",
        )
        status = _status(node, "SignatureValidationStatus", signature.verdict, signature.sub_indication)
        _data(status, signature, references, name)
        other = [signature.reason] if signature.reason else []
        if signature.seal is not None:
            seal = signature.seal
            other.append(f"seal {seal.id}, {seal.name}, {seal.standard}, made by {seal.maker}")
        if other:
            _sub(node, "OtherInformation", "; ".join(other))

    def _constraints(self, node: ET.Element, signature: SignatureReport) -> None:
        """List every check, then the layers: disabled where no file was given, else with their own checks."""
        holder = ET.Element(f"{{{VR}}}ValidationConstraintsEvaluationReport")
        for check in signature.checks:
            _constraint(holder, check.id, check.result, check)
        layers = [("layer:agreed", signature.agreed)]
        layers += [(f"layer:recognised:{jurisdiction}", layer) for jurisdiction, layer in signature.recognised]
        for identifier, layer in layers:
            if layer.basis is None:
                _disabled(holder, identifier)
                continue
            _constraint(holder, identifier, layer.result, CheckResult(identifier, "", layer.result, layer.basis))
            for check in layer.checks:
                _constraint(holder, f"{identifier}:{check.id}", check.result, check)
        node.append(holder)

    def _time(self, node: ET.Element, report: Report, signature: SignatureReport | None) -> None:
        holder = _sub(node, "ValidationTimeInfo")
        moment = report.validation_time or report.checked_at
        _sub(holder, "ValidationTime", stamp(moment))
        best = signature.signed_at if signature is not None else None
        proven = best is not None and best.source == "timestamp"
        poe = _sub(holder, "BestSignatureTime")
        _sub(poe, "POETime", stamp(best.value if best is not None and proven else moment))
        _sub(poe, "TypeOfProof", f"{URN}:poetype:validation")
        tokens = [o for o in signature.objects if o.kind == "timestamp"] if signature is not None and proven else []
        if tokens:
            _sub(poe, "POEObject", VOReference=" ".join(map(self._object, tokens)))

    def _object(self, found: ValidationObject) -> str:
        """Add a validation object unless it is there, and return its id."""
        name = f"O-{found.sha256}"
        if name not in self._objects:
            node = ET.Element(f"{{{VR}}}ValidationObject", id=name)
            _sub(node, "ObjectType", f"{URN}:validationObject:{_KIND[found.kind]}")
            representation = _sub(node, "ValidationObjectRepresentation")
            _sub(representation, "base64", base64.b64encode(found.data).decode("ascii"))
            self._objects[name] = node
        return name

    def _file(self, report: Report) -> str:
        """Add the file itself, by its digest and its name, and return its id."""
        name = f"F{self._files}-{hashlib.sha256(report.file.encode('utf-8', 'replace')).hexdigest()[:16]}"
        node = ET.Element(f"{{{VR}}}ValidationObject", id=name)
        _sub(node, "ObjectType", f"{URN}:validationObject:signedData")
        _digest(_sub(node, "ValidationObjectRepresentation"), report.sha256)
        self._objects[name] = node
        return name


_USES = get_args(ObjectUse)


def _sub(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    """Add an element of the report's namespace; text is cleaned of what XML 1.0 cannot hold."""
    node = ET.SubElement(parent, f"{{{VR}}}{name}", attributes)
    if text is not None:
        node.text = clean(text).replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    return node


def _digest(parent: ET.Element, sha256: str) -> None:
    holder = _sub(parent, "DigestAlgAndValue")
    ET.SubElement(holder, f"{{{DS}}}DigestMethod", Algorithm=SHA256)
    value = ET.SubElement(holder, f"{{{DS}}}DigestValue")
    value.text = base64.b64encode(bytes.fromhex(sha256)).decode("ascii")


def _document(node: ET.Element, file: str) -> None:
    _sub(_sub(node, "SignersDocument"), "SignersDocumentRepresentation", VOReference=file)


def _status(node: ET.Element, name: str, verdict: Verdict, sub_indication: str | None) -> ET.Element:
    status = _sub(node, name)
    _sub(status, "MainIndication", f"{URN}:mainindication:{_MAIN[verdict]}")
    if sub_indication in SUB_INDICATIONS:
        _sub(status, "SubIndication", f"{URN}:subindication:{sub_indication}")
    return status


def _constraint(holder: ET.Element, identifier: str, result: Result, check: CheckResult) -> None:
    node = _sub(holder, "ValidationConstraint")
    _sub(node, "ValidationConstraintIdentifier", OURS + identifier)
    _sub(_sub(node, "ConstraintStatus"), "Status", f"{URN}:constraintStatus:applied")
    _sub(_sub(node, "ValidationStatus"), "MainIndication", f"{URN}:mainindication:{_CONSTRAINT[result]}")
    words = "; ".join(part for part in (check.clause, check.detail, check.basis) if part)
    if words:
        _sub(node, "Indications", words)


def _disabled(holder: ET.Element, identifier: str) -> None:
    node = _sub(holder, "ValidationConstraint")
    _sub(node, "ValidationConstraintIdentifier", OURS + identifier)
    _sub(_sub(node, "ConstraintStatus"), "Status", f"{URN}:constraintStatus:disabled")


def _attributes(node: ET.Element, signature: SignatureReport) -> None:
    """Say what the signature states (annex A); `Signed` where the signature covers it."""
    holder = ET.Element(f"{{{VR}}}SignatureAttributes")
    if signature.signed_at is not None and signature.signed_at.source == "claimed":
        _sub(_sub(holder, "SigningTime", Signed="true"), "Time", stamp(signature.signed_at.value))
    for token in signature.timestamps:
        if token.gen_time is not None:
            _sub(_sub(holder, "SignatureTimeStamp", Signed="false"), "TimeStampValue", stamp(token.gen_time))
    stated = dict(signature.stated)
    for key, name in (("reason", "Reason"), ("name", "Name"), ("contactinfo", "ContactInfo")):
        if key in stated:
            _sub(_sub(holder, name, Signed="true"), f"{name}Element", stated[key])
    if signature.subfilter is not None:
        _sub(_sub(holder, "SubFilter", Signed="true"), "SubFilterElement", signature.subfilter)
    if len(holder):
        node.append(holder)


def _data(status: ET.Element, signature: SignatureReport, references: dict[str, list[str]], name: str) -> None:
    """Say what the status rests on: the chain, the lists and answers, the algorithm."""
    data = ET.Element(f"{{{VR}}}AssociatedValidationReportData")
    if references["anchor"]:
        _sub(data, "TrustAnchor", VOReference=references["anchor"][0])
    if references["signer"]:
        chain = _sub(data, "CertificateChain")
        _sub(chain, "SigningCertificate", VOReference=references["signer"][0])
        for issuer in references["issuer"]:
            _sub(chain, "IntermediateCertificate", VOReference=issuer)
        if references["anchor"]:
            _sub(chain, "TrustAnchor", VOReference=references["anchor"][0])
    for use in _USES[3:]:  # what is not of the signer's own chain
        for reference in references[use]:
            _sub(data, "RelatedValidationObject", VOReference=reference)
    if signature.signature_algorithm is not None:
        crypto = _sub(data, "CryptoInformation")
        _sub(crypto, "ValidationObjectId", VOReference=name)
        _sub(crypto, "Algorithm", f"urn:oid:{signature.signature_algorithm}")
        weak = any(c.id in ("algorithm-policy", "algorithms") and c.result != "passed" for c in signature.checks)
        _sub(crypto, "SecureAlgorithm", "false" if weak or signature.suite is None else "true")
    if len(data):
        status.append(data)
