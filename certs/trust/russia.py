"""The list of accredited authorities of the Russian Federation, in the XML form of its ministry.

    trust_list = read_russian(data)
    trust_list.entries                       # every certificate of an authority whose accreditation is in force

The elements are those that readers of the list use; no schema is published with it. An authority whose accreditation
has ended is left out altogether, since the list does not say reliably when it ended. How the list is signed is not
documented: whoever uses it confirms its digest (`certs.trust.load`).
"""

from __future__ import annotations

import hashlib
from xml.etree.ElementTree import Element

from certs.errors import CertsError, MalformedInput
from certs.trust.entries import TrustEntry, TrustList, certificate_in, read_moment
from certs.trust.xml import parse_xml, text_of

FORM = "Russian accredited authorities"
ROOT = "АккредитованныеУдостоверяющиеЦентры"
IN_FORCE = "действует"
_PURPOSES = frozenset({"signing", "timestamping"})


def read_russian(data: bytes) -> TrustList:
    """Return the list. Raises MalformedInput where it is none; what cannot be read inside is noted."""
    root = parse_xml(data)
    if _local(root) != ROOT:
        raise MalformedInput("this is no list of accredited Russian authorities")
    number, date = _member(root, "Версия"), _member(root, "Дата")
    origin = f"accredited authorities of Russia, list no. {number[:20] or '?'}"
    entries: list[TrustEntry] = []
    notes: list[str] = []
    for centre in root:
        if _local(centre) != "УдостоверяющийЦентр":
            continue
        name = _member(centre, "Название")
        status = next((item for item in centre if _local(item) == "СтатусАккредитации"), None)
        said = _member(status, "Статус") if status is not None else ""
        if said.lower() != IN_FORCE:
            notes.append(f"{name}: accreditation is {said or 'not stated'}")
            continue
        assert status is not None
        since = read_moment(_member(status, "ДействуетС"))
        for item in centre.iter():
            if _local(item) != "ДанныеСертификата":
                continue
            try:
                certificate = certificate_in(_member(item, "Данные"))
            except CertsError as error:
                notes.append(f"{name}: a certificate cannot be read: {error}")
                continue
            entries.append(TrustEntry(certificate, origin, _PURPOSES, since, None, name, "accredited"))
    return TrustList(
        FORM,
        "RU",
        text_of(root, "Издатель") or "Russian Federation",
        int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None,
        read_moment(date),
        None,
        tuple(dict.fromkeys(entries)),
        hashlib.sha256(data).hexdigest(),
        notes=tuple(notes),
    )


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _member(element: Element, name: str) -> str:
    """Return a member that is an attribute in one version of the list and an element in another."""
    if name in element.attrib:
        return element.attrib[name].strip()
    return next(((child.text or "").strip() for child in element if _local(child) == name), "")
