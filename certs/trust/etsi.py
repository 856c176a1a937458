"""Trusted lists of ETSI TS 119 612, as the member states of the European Union publish them.

    trust_list = read_etsi(data)
    trust_list.entries                       # CA/QC for signing, TSA/QTST for time-stamping, each with from and until

A service stands in the list with its status and the history of it: every time in which it was granted (or, before
2016, under supervision or accredited) becomes an entry. The XAdES signature of the list is not verified here: whoever
uses a list confirms its digest (`certs.trust.load`).
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from xml.etree.ElementTree import Element

from certs.certificate import Certificate
from certs.errors import CertsError, MalformedInput
from certs.trust.entries import TrustEntry, TrustList, read_moment
from certs.trust.xml import parse_xml, text_of

NAMESPACE = "http://uri.etsi.org/02231/v2#"
FORM = "ETSI TS 119 612"
_NS = {"t": NAMESPACE}
_TYPES = {
    "http://uri.etsi.org/TrstSvc/Svctype/CA/QC": "signing",
    "http://uri.etsi.org/TrstSvc/Svctype/TSA/QTST": "timestamping",
}
"""Service types (5.5.1.1) to purposes."""
_STATUS = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/"
_OLD_STATUS = "http://uri.etsi.org/TrstSvc/Svcstatus/"
_GOOD = frozenset(
    prefix + word
    for prefix in (_STATUS, _OLD_STATUS)
    for word in ("granted", "undersupervision", "supervisionincessation", "accredited")
)
"""5.5.4 and, for history, the values of TS 102 231."""
_INFORMATION = "http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/"
MAX_HISTORY = 200


def read_etsi(data: bytes) -> TrustList:
    """Return the list. Raises MalformedInput where it is none; a service that cannot be read is noted."""
    root = parse_xml(data)
    if root.tag != f"{{{NAMESPACE}}}TrustServiceStatusList":
        raise MalformedInput("this is no trusted list of ETSI TS 119 612")
    scheme = root.find("t:SchemeInformation", _NS)
    number = text_of(scheme, "t:TSLSequenceNumber", _NS)
    territory = text_of(scheme, "t:SchemeTerritory", _NS)
    sequence = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
    origin = f"trusted list of {territory or '?'} no. {number[:10] or '?'}"
    entries: list[TrustEntry] = []
    notes: list[str] = []
    for service in root.iterfind("t:TrustServiceProviderList/t:TrustServiceProvider/t:TSPServices/t:TSPService", _NS):
        try:
            entries += _entries(service, origin)
        except CertsError as error:
            name = text_of(service, "t:ServiceInformation/t:ServiceName/t:Name", _NS)
            notes.append(f"{name or 'a service'} cannot be read: {error}")
    return TrustList(
        FORM,
        territory,
        text_of(scheme, "t:SchemeOperatorName/t:Name", _NS),
        sequence,
        read_moment(text_of(scheme, "t:ListIssueDateTime", _NS)),
        read_moment(text_of(scheme, "t:NextUpdate/t:dateTime", _NS)),
        tuple(dict.fromkeys(entries)),
        hashlib.sha256(data).hexdigest(),
        notes=tuple(notes),
    )


def _entries(service: Element, origin: str) -> Iterator[TrustEntry]:
    """Yield an entry for every time in which the service was granted, the latest first."""
    history = service.findall("t:ServiceHistory/t:ServiceHistoryInstance", _NS)
    if len(history) > MAX_HISTORY:
        raise MalformedInput(f"more than {MAX_HISTORY} changes of status")
    information = service.find("t:ServiceInformation", _NS)
    if information is None:
        raise MalformedInput("a service without information")
    certificates = list(_certificates(information))
    states = [(_start(state), state) for state in (information, *history)]
    states.sort(key=lambda item: item[0], reverse=True)
    until: datetime | None = None
    for since, state in states:
        purpose = _TYPES.get(text_of(state, "t:ServiceTypeIdentifier", _NS))
        if purpose and text_of(state, "t:ServiceStatus", _NS) in _GOOD and _for_signatures(state):
            name = text_of(state, "t:ServiceName/t:Name", _NS)
            for certificate in certificates:
                yield TrustEntry(certificate, origin, frozenset({purpose}), since, until, name, "qualified")
        until = since


def _start(state: Element) -> datetime:
    moment = read_moment(text_of(state, "t:StatusStartingTime", _NS))
    if moment is None:
        raise MalformedInput("a status without a beginning")
    return moment


def _for_signatures(state: Element) -> bool:
    """Tell whether the service is for more than web sites (5.5.9.4); services that do not say are for signatures."""
    path = "t:ServiceInformationExtensions/t:Extension/t:AdditionalServiceInformation/t:URI"
    said = {(uri.text or "").strip().removeprefix(_INFORMATION) for uri in state.iterfind(path, _NS)}
    return bool(said & {"ForeSignatures", "ForeSeals"}) or "ForWebSiteAuthentication" not in said


def _certificates(information: Element) -> Iterator[Certificate]:
    for item in information.iterfind("t:ServiceDigitalIdentity/t:DigitalId/t:X509Certificate", _NS):
        yield certificate_in(item.text)


def certificate_in(text: str | None) -> Certificate:
    """Return the certificate in base64 text, which may be wrapped. Raises MalformedInput."""
    try:
        return Certificate(b64decode("".join((text or "").split()), validate=True))
    except ValueError as error:
        raise MalformedInput("a certificate that is no base64") from error
