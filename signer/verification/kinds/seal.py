"""Electronic seals (.esl) and signatures made with them (.dat), in files of their own.

What a signature was made over is given beside it: in an OFD the signature file, in a PDF the octets of the ByteRange.
"""

from __future__ import annotations

from certs import ber
from certs.errors import CertsError, MalformedInput
from signer.report import Kind, Verdict
from signer.seals import read_seal, read_seal_signature
from signer.verification.cms import Octets, Source
from signer.verification.draft import Draft
from signer.verification.encoded import unwrapped
from signer.verification.kinds import Found
from signer.verification.seals import judge_seal, judge_seal_signature
from signer.verification.setting import Setting

CLAUSE = "GM/T 0031-2014 6.1.2 a, 6.2.3 a; GB/T 38540-2020; GM/T 0031-2025"
IA5_STRING = 0x16


def looks_like(data: bytes) -> bool:
    """Tell whether the file begins as a seal or a signature with one does."""
    return what(data) is not None


def what(data: bytes) -> Kind | None:
    """Say what the file begins as; the rest of it is not looked at.

    SES_Header stands three SEQUENCEs deep in a seal, and two deeper in a signature, behind the version of TBS_Sign.
    """
    encoded = unwrapped(data)
    if encoded is None:
        return None
    try:
        first = ber.Value(encoded, 0, len(encoded)).members().next(ber.SEQUENCE)
        if _begins_with_header(first):
            return "seal-object"
        members = first.members()
        members.next(ber.INTEGER)
        return "seal" if _begins_with_header(members.next(ber.SEQUENCE).members().next()) else None
    except (CertsError, RecursionError):
        return None


def _begins_with_header(info: ber.Value) -> bool:
    """Tell whether SES_SealInfo stands here: { { ID IA5String, version INTEGER, Vid IA5String } … }."""
    try:
        header = info.members().next(ber.SEQUENCE).members()
        header.next(IA5_STRING)
        header.next(ber.INTEGER)
        header.next(IA5_STRING)
    except CertsError:
        return False
    return True


def verify(data: bytes, content: bytes | None, setting: Setting) -> Found:
    """Verify the seal, or the signature over `content`."""
    kind = what(data) or "seal"
    draft = Draft(field="", kind=kind)
    judge_file(draft, unwrapped(data) or data, Octets(content) if content is not None else None, setting)
    return Found((draft.report(),))


def judge_file(draft: Draft, encoded: bytes, source: Source | None, setting: Setting) -> None:
    """Read and judge one seal or signature; which of the two, `draft.kind` says. Never raises."""
    with draft.guarded():
        try:
            if draft.kind == "seal-object":
                judge_seal(draft, read_seal(encoded), setting, None)
            else:
                judge_seal_signature(draft, read_seal_signature(encoded), source, setting)
        except MalformedInput as error:
            draft.failed("seal-format", CLAUSE, str(error), Verdict.TOTAL_FAILED, "FORMAT_FAILURE", "seal-malformed")
        except CertsError as error:
            draft.unknown("seal-format", CLAUSE, f"{error.code}: {error.message}", "GENERIC")
