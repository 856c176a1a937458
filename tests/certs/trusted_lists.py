"""Makes trusted lists of ETSI TS 119 612, and signs them, well or badly; with lxml and our suites, without signxml.

data = sign(etsi(service(root, QC, GRANTED, NOW - DAY)), key, certificate)
data = sign(..., change=lambda text: text.replace("rsa-sha256", "rsa-sha1"))     # before it is signed
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

from certs.certificate import Certificate
from certs.suites.base import PrivateKey
from tests.certs.forge import forge
from tests.conftest import NOW, keys_of

DAY = timedelta(days=1)
QC, QTST = "http://uri.etsi.org/TrstSvc/Svctype/CA/QC", "http://uri.etsi.org/TrstSvc/Svctype/TSA/QTST"
GRANTED = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted"
WITHDRAWN = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/withdrawn"
LIST_TYPE = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/"
DS = "http://www.w3.org/2000/09/xmldsig#"


def b64(certificate: Certificate) -> str:
    return b64encode(certificate.der).decode()


def written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def state(kind: str, status: str, since: datetime, identity: str = "", uris: tuple[str, ...] = ()) -> str:
    more = "".join(
        "<Extension Critical='true'><AdditionalServiceInformation><URI xml:lang='en'>"
        f"http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/{uri}</URI></AdditionalServiceInformation></Extension>"
        for uri in uris
    )
    return (
        f"<ServiceTypeIdentifier>{kind}</ServiceTypeIdentifier>"
        "<ServiceName><Name xml:lang='en'>Service</Name></ServiceName>"
        f"<ServiceDigitalIdentity>{identity}</ServiceDigitalIdentity><ServiceStatus>{status}</ServiceStatus>"
        f"<StatusStartingTime>{written(since)}</StatusStartingTime>"
        f"<ServiceInformationExtensions>{more}</ServiceInformationExtensions>"
    )


def service(certificate: Certificate, kind: str, status: str, since: datetime, *history: str, **more: Any) -> str:
    identity = f"<DigitalId><X509Certificate>\n{b64(certificate)}\n</X509Certificate></DigitalId>"
    inside = "".join(f"<ServiceHistoryInstance>{item}</ServiceHistoryInstance>" for item in history)
    information = state(kind, status, since, identity, **more)
    return (
        f"<TSPService><ServiceInformation>{information}</ServiceInformation>"
        f"<ServiceHistory>{inside}</ServiceHistory></TSPService>"
    )


def pointer(
    territory: str, location: str, *signers: Certificate, kind: str = "EUgeneric", mime: str = "tsl+xml"
) -> str:
    identities = "".join(f"<DigitalId><X509Certificate>{b64(item)}</X509Certificate></DigitalId>" for item in signers)
    return (
        f"<OtherTSLPointer><ServiceDigitalIdentities><ServiceDigitalIdentity>{identities}</ServiceDigitalIdentity>"
        f"</ServiceDigitalIdentities><TSLLocation>{location}</TSLLocation><AdditionalInformation>"
        f"<OtherInformation><TSLType>{LIST_TYPE}{kind}</TSLType></OtherInformation>"
        f"<OtherInformation><SchemeTerritory>{territory}</SchemeTerritory></OtherInformation>"
        "<OtherInformation><a:MimeType xmlns:a='http://uri.etsi.org/02231/v2/additionaltypes#'>"
        f"application/vnd.etsi.{mime}</a:MimeType></OtherInformation></AdditionalInformation></OtherTSLPointer>"
    )


def etsi(
    *services: str,
    territory: str = "EE",
    number: int | str = 42,
    issued: datetime = NOW - DAY,
    next_update: datetime | None = NOW + 90 * DAY,
    pointers: tuple[str, ...] = (),
    kind: str = "EUgeneric",
    more: str = "",
) -> bytes:
    until = f"<dateTime>{written(next_update)}</dateTime>" if next_update else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" Id="L">'
        f"<SchemeInformation><TSLSequenceNumber>{number}</TSLSequenceNumber><TSLType>{LIST_TYPE}{kind}</TSLType>"
        "<SchemeOperatorName><Name xml:lang='en'>Office</Name></SchemeOperatorName>"
        f"<SchemeTerritory>{territory}</SchemeTerritory><PointersToOtherTSL>{''.join(pointers)}</PointersToOtherTSL>"
        f"<ListIssueDateTime>{written(issued)}</ListIssueDateTime>"
        f"<NextUpdate>{until}</NextUpdate></SchemeInformation>"
        f"<TrustServiceProviderList><TrustServiceProvider><TSPServices>{''.join(services)}</TSPServices>"
        f"</TrustServiceProvider></TrustServiceProviderList>{more}</TrustServiceStatusList>"
    ).encode()


def list_of_lists(*pointers: str, territory: str = "EU", kind: str = "EUlistofthelists", **more: Any) -> bytes:
    return etsi(pointers=pointers, territory=territory, kind=kind, **more)


# Signatures -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class ListSigner:
    """Whoever signs lists."""

    key: PrivateKey
    certificate: Certificate

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint()

    def sign(self, document: bytes, **more: Any) -> bytes:
        return sign(document, self.key, self.certificate, **more)


def list_signer(suite: str = "ecdsa-p256", place: int = 0, **certificate: Any) -> ListSigner:
    """Return a signer with one of the suite's keys."""
    key = keys_of(suite)[place]
    return ListSigner(key, forge(f"Signer {place}", key, None, key, **certificate))


_METHODS = {
    "rsa": ("2001/04/xmldsig-more#rsa-sha256", 0),
    "ecdsa-p256": ("2001/04/xmldsig-more#ecdsa-sha256", 32),
    "ecdsa-p384": ("2001/04/xmldsig-more#ecdsa-sha384", 48),
    "ecdsa-p521": ("2001/04/xmldsig-more#ecdsa-sha512", 66),
    "ecdsa-bp256": ("2001/04/xmldsig-more#ecdsa-sha256", 32),
}
"""Suite to method, and to half the length of its signature value (RFC 4050: r and s one after the other)."""
XML_SUITES = tuple(_METHODS)


def template(key: PrivateKey, certificate: Certificate, whole: str, properties: str) -> str:
    """Return a signature without values; `whole` is the URI of the list."""
    method = _METHODS.get(key.suite.name, ("2001/04/xmldsig-more#rsa-sha256", 0))[0]
    exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
    digest = '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
    print_ = b64encode(hashlib.sha256(certificate.der).digest()).decode()
    return (
        f'<ds:Signature xmlns:ds="{DS}" Id="S"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{exclusive}"/>'
        f'<ds:SignatureMethod Algorithm="http://www.w3.org/{method}"/>'
        f'<ds:Reference Id="R" URI="{whole}"><ds:Transforms><ds:Transform Algorithm="{DS}enveloped-signature"/>'
        f'<ds:Transform Algorithm="{exclusive}"/></ds:Transforms>{digest}<ds:DigestValue/></ds:Reference>'
        '<ds:Reference Type="http://uri.etsi.org/01903#SignedProperties" URI="#P"><ds:Transforms>'
        f'<ds:Transform Algorithm="{exclusive}"/></ds:Transforms>{digest}<ds:DigestValue/></ds:Reference>'
        "</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data>"
        f"<ds:X509Certificate>{b64(certificate)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        '<ds:Object><xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" Target="#S">'
        f'<xades:SignedProperties Id="P"><xades:SignedSignatureProperties><xades:SigningTime>{written(NOW - DAY)}'
        f"</xades:SigningTime><xades:SigningCertificateV2><xades:Cert><xades:CertDigest>{digest}"
        f"<ds:DigestValue>{print_}</ds:DigestValue></xades:CertDigest></xades:Cert></xades:SigningCertificateV2>"
        f"</xades:SignedSignatureProperties><xades:SignedDataObjectProperties><xades:DataObjectFormat "
        'ObjectReference="#R"><xades:MimeType>text/xml</xades:MimeType></xades:DataObjectFormat>'
        f"</xades:SignedDataObjectProperties></xades:SignedProperties>{properties}</xades:QualifyingProperties>"
        "</ds:Object></ds:Signature>"
    )


def sign(
    document: bytes,
    key: PrivateKey,
    certificate: Certificate,
    *,
    whole: str = "",
    properties: str = "",
    change: Callable[[str], str] = lambda text: text,
) -> bytes:
    """Return the list with a signature at its end. `change` alters the signature before its values are computed.

    Digests are SHA-256 over exclusive canonical XML, whatever `change` writes into the algorithms.
    """
    root = etree.fromstring(document)
    signature = etree.fromstring(change(template(key, certificate, whole, properties)))
    values = {"": etree.tostring(root, method="c14n", exclusive=True)}
    root.append(signature)
    for item in root.iter("*"):
        if item is not root and item.get("Id"):
            values["#" + item.get("Id")] = etree.tostring(item, method="c14n", exclusive=True, with_tail=False)
    values["#" + root.get("Id")] = values[""]
    for reference in signature.iter(f"{{{DS}}}Reference"):
        value = hashlib.sha256(values.get(reference.get("URI", ""), b"")).digest()
        reference.find(f"{{{DS}}}DigestValue").text = b64encode(value).decode()
    info = etree.tostring(signature.find(f"{{{DS}}}SignedInfo"), method="c14n", exclusive=True, with_tail=False)
    made = key.sign(info)
    half = _METHODS.get(key.suite.name, ("", 0))[1]
    if half:
        made = b"".join(number.to_bytes(half, "big") for number in decode_dss_signature(made))
    signature.find(f"{{{DS}}}SignatureValue").text = b64encode(made).decode()
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
