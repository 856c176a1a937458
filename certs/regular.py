"""Requests of the form that nearly every client sends, read in one pass.

    regular.ocsp_request(data)         # one question in DER, and at most a nonce
    regular.stamp_request(data)        # a TimeStampReq in DER without extensions

None means that the request is not of this form, not that it is wrong: then it is read the general way (`certs.ocsp`,
`certs.timestamp`), which gives the same for everything that is read here.
"""

from __future__ import annotations

from certs import der, oids
from certs.errors import MalformedInput
from certs.extension_values import Extension
from certs.extensions import encode
from certs.ocsp import MAX_NONCE, OCSPRequest, read_cert_id
from certs.timestamp import Request


def ocsp_request(data: bytes) -> OCSPRequest | None:
    """Read an OCSPRequest: no version, no name, no signature, one CertID, no other extension than a nonce.

    Raises MalformedInput where the CertID is none.
    """
    try:
        outer, end = _value(data, 0, der.SEQUENCE)
        tbs, tbs_end = _value(data, outer, der.SEQUENCE)
        requests, requests_end = _value(data, tbs, der.SEQUENCE)
        request, request_end = _value(data, requests, der.SEQUENCE)
        _, cert_id_end = _value(data, request, der.SEQUENCE)
    except (IndexError, MalformedInput):
        return None
    if not (end == tbs_end == len(data) and cert_id_end == request_end == requests_end <= end):
        return None
    if requests_end == end:
        return OCSPRequest((read_cert_id(data[request:cert_id_end]),))
    known = _NONCES.get(end - requests_end)
    if known is None or not data.startswith(known[0], requests_end):
        return None
    nonce = Extension(oids.OCSP_NONCE, False, data[requests_end + known[1] :])
    return OCSPRequest((read_cert_id(data[request:cert_id_end]),), (nonce,))


def stamp_request(data: bytes) -> Request | None:
    """Read a TimeStampReq: version 1, a digest without parameters of its own, and no extensions."""
    try:
        place, end = _value(data, 0, der.SEQUENCE)
        imprint = place + 3
        inside, imprint_end = _value(data, imprint, der.SEQUENCE)
        _, algorithm_end = _value(data, inside, der.SEQUENCE)
        octets, octets_end = _value(data, algorithm_end, der.OCTET_STRING)
        if data[place:imprint] != b"\x02\x01\x01" or octets_end != imprint_end:
            return None
        algorithm = der.decode_algorithm_identifier(data[inside:algorithm_end])
        place, policy, nonce = imprint_end, None, None
        if place < end and data[place] == der.OBJECT_IDENTIFIER:
            start, place = _value(data, place, der.OBJECT_IDENTIFIER)
            policy = der.decode_oid(data[start:place])
        if place < end and data[place] == der.INTEGER:
            start, place = _value(data, place, der.INTEGER)
            if start == place:  # an INTEGER has an octet at least
                return None
            nonce = int.from_bytes(data[start:place], "big", signed=True)
    except (IndexError, MalformedInput):
        return None
    rest = data[place:]
    if not place + len(rest) == end == len(data) or rest not in (b"", b"\x01\x01\xff"):
        return None
    if algorithm.parameters not in (None, der.NULL_DER):
        return None
    return Request(algorithm, data[octets:octets_end], policy, nonce, bool(rest), (), data[imprint:imprint_end])


def _value(data: bytes, place: int, tag: int) -> tuple[int, int]:
    """Return where the contents of a value begin and should end, which may be behind the end of `data`.

    Raises MalformedInput for another tag and for a length over 255 or not DER, IndexError where nothing stands.
    """
    if data[place] == tag:
        length = data[place + 1]
        if length < 0x80:
            return place + 2, place + 2 + length
        if length == 0x81 and data[place + 2] >= 0x80:
            return place + 3, place + 3 + data[place + 2]
    raise MalformedInput("not of the regular form")


def _nonces() -> dict[int, tuple[bytes, int]]:
    """Return, for every length of requestExtensions with a nonce alone, what stands before its octets.

    With it, where the value of the extension begins.
    """
    found = {}
    for size in range(1, MAX_NONCE + 1):
        value = der.octet_string(bytes(size))
        whole = der.tlv(0xA2, der.sequence(encode(Extension(oids.OCSP_NONCE, False, value))))
        found[len(whole)] = (whole[:-size], len(whole) - len(value))
    return found


_NONCES = _nonces()
