"""Trusted lists of ETSI TS 119 612, as the member states of the European Union publish them.

    trust_list = read_etsi(data, signers={fingerprint}, now=now)
    trust_list.entries                       # CA/QC for signing, TSA/QTST for time-stamping, each with from and until
    trust_list.pointers                      # of a list of lists: territories, where their lists are, who signs them

A service stands in the list with its status and the history of it: every time in which it was granted (or, before
2016, under supervision or accredited) becomes an entry. Where signers are named, the XAdES signature is verified
(`certs.trust.xades`) and everything is read from the octets that it covers. Where none are, `signer` is None, and
whoever uses the list confirms its digest (`certs.trust.load`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator
from datetime import datetime
from xml.etree.ElementTree import Element

from certs.certificate import Certificate
from certs.errors import CertsError, MalformedInput, TrustListError
from certs.trust.entries import ListPointer, TrustEntry, TrustList, certificate_in, read_moment
from certs.trust.xades import verify_list
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
_MIME = "{http://uri.etsi.org/02231/v2/additionaltypes#}MimeType"
_XML_LIST = "application/vnd.etsi.tsl+xml"
_LIST_OF_LISTS = re.compile(r"http://uri\.etsi\.org/TrstSvc/TrustedList/TSLType/(EUlistofthelists|[A-Z]{2}list)")
"""Annex D.5: the Union's list of lists, or that of another country."""
MAX_HISTORY = 200
MAX_POINTERS = 500


def read_etsi(data: bytes, *, signers: Collection[str] | None = None, now: datetime | None = None) -> TrustList:
    """Return the list; a service that cannot be read is noted.

    `signers` are the SHA-256 fingerprints of certificates that may have signed it; None: the signature is not looked
    at. With `now` the certificate of the signer must be valid then too, not only when the list was issued; whether the
    list is out of date is for the caller. Raises MalformedInput where it is no list, TrustListError.
    """
    verified = None if signers is None else verify_list(data, signers)
    root = parse_xml(data if verified is None else verified.octets)
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
    issued = read_moment(text_of(scheme, "t:ListIssueDateTime", _NS))
    if verified is not None:
        _check_times(verified.signer, issued, now)
    return TrustList(
        FORM,
        territory,
        text_of(scheme, "t:SchemeOperatorName/t:Name", _NS),
        sequence,
        issued,
        read_moment(text_of(scheme, "t:NextUpdate/t:dateTime", _NS)),
        tuple(dict.fromkeys(entries)),
        hashlib.sha256(data).hexdigest(),
        None if verified is None else verified.signer,
        notes=tuple(notes),
        signed_sha256="" if verified is None else hashlib.sha256(verified.octets).hexdigest(),
        pointers=tuple(_pointers(scheme)),
    )


def _check_times(signer: Certificate, issued: datetime | None, now: datetime | None) -> None:
    """Raise TrustListError where the signer's certificate was not valid when the list was issued, or is not now.

    An old key may have been stolen since: then a list can be dated back, but not while its certificate is checked now.
    """
    if issued is None:
        raise TrustListError("the list does not say when it was issued", reason="signature")
    if not signer.not_before <= issued <= signer.not_after:
        raise TrustListError("the list was issued when the certificate of its signer was not valid", reason="signer")
    if now is not None and not signer.not_before <= now <= signer.not_after:
        raise TrustListError(
            f"the certificate of {signer.subject}, who signed the list, is not valid now",
            hint="get the current list, or confirm this one with #sha256=",
            reason="signer",
        )


def _pointers(scheme: Element | None) -> Iterator[ListPointer]:
    """Yield what a list of lists says of others (5.3.13); those of other lists lead nowhere, so none are.

    Pointers to lists of lists are left out too: who signs the next one is for the operator to say.
    """
    if scheme is None or not _LIST_OF_LISTS.fullmatch(text_of(scheme, "t:TSLType", _NS)):
        return
    for pointer in scheme.findall("t:PointersToOtherTSL/t:OtherTSLPointer", _NS)[:MAX_POINTERS]:
        about = pointer.find("t:AdditionalInformation", _NS)
        if about is None or _LIST_OF_LISTS.fullmatch(text_of(about, "t:OtherInformation/t:TSLType", _NS)):
            continue
        if text_of(about, f"t:OtherInformation/{_MIME}", _NS) != _XML_LIST:
            continue
        signers: dict[str, None] = {}
        path = "t:ServiceDigitalIdentities/t:ServiceDigitalIdentity/t:DigitalId/t:X509Certificate"
        for item in pointer.findall(path, _NS)[:MAX_POINTERS]:
            try:
                signers[certificate_in(item.text).fingerprint()] = None
            except CertsError:  # a certificate that we cannot read has signed nothing that we can
                continue
        territory = text_of(about, "t:OtherInformation/t:SchemeTerritory", _NS)
        yield ListPointer(territory, text_of(pointer, "t:TSLLocation", _NS), frozenset(signers))


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
