"""RFC 3161 time-stamps in files of their own: TimeStampToken (.tst) and TimeStampResp (.tsr).

Without the content the token's own signature and its authority are verified, but not what it is about: INDETERMINATE,
SIGNED_DATA_NOT_FOUND.
"""

from __future__ import annotations

from certs import ber, oids, suites
from certs.errors import CertsError
from certs.signed_data import SIGNED_DATA_OIDS
from certs.timestamp import read_token, token_in
from signer.report import Notice
from signer.verification.cms import Octets, Source
from signer.verification.draft import Draft
from signer.verification.encoded import unwrapped
from signer.verification.kinds import Found
from signer.verification.setting import Setting
from signer.verification.times import judge_timestamp

CLAUSE = "EN 319 102-1 5.4; RFC 3161"
LABELS = ("CMS", "PKCS7", "TIMESTAMP TOKEN", "TIMESTAMP RESPONSE", "TIME STAMP RESPONSE")


def looks_like(data: bytes) -> bool:
    """Tell whether the file is a token, or an answer that holds one."""
    encoded = unwrapped(data, *LABELS)
    return encoded is not None and (_is_token(encoded) or _is_answer(encoded))


def _is_token(encoded: bytes) -> bool:
    """Look for TSTInfo in the ContentInfo, without reading the rest."""
    try:
        outer = ber.Value(encoded, 0, len(encoded)).members()
        if outer.next(ber.OBJECT_IDENTIFIER).oid() not in SIGNED_DATA_OIDS:
            return False
        members = outer.next(ber.context(0)).only().members()
        members.next(ber.INTEGER)
        members.next(ber.SET)
        return members.next(ber.SEQUENCE).members().next().oid() == oids.TST_INFO
    except (CertsError, RecursionError):
        return False


def _is_answer(encoded: bytes) -> bool:
    """TimeStampResp begins with PKIStatusInfo, which begins with an INTEGER."""
    try:
        members = ber.load(encoded).members()
        status = members.next(ber.SEQUENCE).members()
        status.next(ber.INTEGER)
        if status.peek() not in (None, ber.SEQUENCE, ber.BIT_STRING):
            return False
        token = members.optional(ber.SEQUENCE)
        members.end()
        return token is None or _is_token(token.raw())
    except (CertsError, RecursionError):
        return False


def verify(data: bytes, content: bytes | None, setting: Setting) -> Found:
    """Verify the token; an answer without one is no signature, which is said."""
    draft = Draft(field="", kind="timestamp")
    encoded: bytes | None = unwrapped(data, *LABELS) or data
    with draft.guarded():
        try:
            if encoded is not None and not _is_token(encoded):
                encoded, said = token_in(encoded)
                if encoded is None:
                    return Found(notices=(Notice("no-time-stamp", f"the authority answered: {said}"),))
            if encoded is not None:
                judge_file(draft, encoded, Octets(content) if content is not None else None, setting)
        except CertsError as error:
            draft.unknown("cms", CLAUSE, f"{error.code}: {error.message}", "GENERIC")
    return Found((draft.report(),))


def judge_file(draft: Draft, encoded: bytes, content: Source | None, setting: Setting) -> None:
    """Judge one token over `content`, or over nothing that is here."""
    judge_timestamp(draft, encoded, content or _Imprint(encoded), setting, CLAUSE)
    if content is None:
        detail = "a time-stamp is over other data: what was stamped is not here"
        draft.unknown("content", CLAUSE, detail, "SIGNED_DATA_NOT_FOUND")


class _Imprint:
    """The imprint in the token, in place of the content that is not here."""

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded

    def digest(self, name: str) -> bytes:
        """Return the imprint; raises UnsupportedAlgorithm for an imprint of another size."""
        token = read_token(self._encoded)
        suites.new_digest(name)
        return token.imprint

    def content(self) -> bytes:
        """Return nothing: no algorithm of ours needs it."""
        return b""
