"""CMS and CAdES signatures in files of their own (.p7s, .p7m, .sig): a report per signer and per countersignature."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from certs import ber
from certs.errors import CertsError
from certs.signed_data import SIGNED_DATA_OIDS, SignedDataView, SignerView
from signer.report import SignatureReport, Verdict
from signer.verification.cms import FORMAT, Octets, judge_signer, parse
from signer.verification.draft import Draft
from signer.verification.encoded import unwrapped
from signer.verification.kinds import Found
from signer.verification.setting import Setting

MAX_REPORTS = 200
"""Signers and countersigners of one CMS that are looked at."""
MAX_NESTING = 4
"""Countersignatures of countersignatures of …"""


def looks_like(data: bytes) -> bool:
    """Tell whether a file is CMS: PEM, base64 or BER that begins like ContentInfo."""
    return inner(data) is not None


def inner(data: bytes) -> bytes | None:
    """Return the CMS in a file, without PEM or base64 around it; None where there is none."""
    encoded = unwrapped(data, "CMS", "PKCS7", "PKCS #7 SIGNED DATA")
    if encoded is None:
        return None
    data = encoded
    try:
        first = ber.Value(data, 0, len(data)).members().next()
        return data if first.tag == ber.OBJECT_IDENTIFIER and first.oid() in SIGNED_DATA_OIDS else None
    except CertsError:
        return None


def verify_cms_file(
    data: bytes,
    content: Octets | None,
    setting: Setting,
    *,
    name: str = "",
    before: Callable[[Draft], None] | None = None,
) -> list[SignatureReport]:
    """Verify a CMS signature in a file of its own: one report per signer and per countersignature. Never raises.

    `name` goes before the signer's in a container; `before` records what is to be said of the file itself.
    """
    parsed, view = Draft(field=name), None
    with parsed.guarded():
        if before is not None:
            before(parsed)
        view = parse(parsed, inner(data) or data)
        if view is not None and not view.signers:
            parsed.failed("one-signer", FORMAT, "the CMS has no signer", Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
    if view is None or not view.signers:
        return [parsed.report()]
    inside = Octets(view.content) if view.content is not None else None
    source = content or inside
    reports = []
    for number, signer in enumerate(view.signers, 1):
        own = f"signer {number}" if len(view.signers) > 1 else ""
        draft = _started(parsed, ", ".join(filter(None, (name, own))))
        with draft.guarded():
            if source is None:
                detail = "a detached signature: what was signed is not here"
                draft.unknown("content", FORMAT, detail, "SIGNED_DATA_NOT_FOUND")
            else:
                judge_signer(draft, view, signer, source, setting, None)
        counters = list(_countersignatures(draft.field, view, signer, setting))
        for counter in counters:
            if counter.verdict is not Verdict.TOTAL_PASSED:
                draft.warn("countersignature", f"{counter.field}: {counter.verdict.value}, {counter.reason}")
        reports += [draft.report(), *counters]
        if len(reports) > MAX_REPORTS:
            draft = Draft(field=name)
            draft.unknown(
                "limits", "", f"more than {MAX_REPORTS} signatures and countersignatures", "GENERIC", "limits"
            )
            return [*reports[:MAX_REPORTS], draft.report()]
    return reports


def _started(parsed: Draft, field: str) -> Draft:
    """Return a draft that begins with what was found about the file."""
    draft = Draft(field=field, checks=list(parsed.checks), warnings=list(parsed.warnings))
    draft.lower(parsed.verdict, parsed.sub_indication or "GENERIC", parsed.reason, parsed.code)
    return draft


def _countersignatures(
    field: str, view: SignedDataView, signer: SignerView, setting: Setting, depth: int = 0
) -> Iterator[SignatureReport]:
    """Verify those who signed the value of a signature (RFC 5652 11.4), each with a report; and who signed theirs.

    Anybody may add one, since it is not signed: it has a verdict of its own, and takes nothing from what it is about.
    """
    try:
        counters = signer.countersignatures()
    except CertsError as error:
        draft = Draft(field=_counter_name(field, 1), kind="countersignature")
        draft.failed("cms", FORMAT, f"it cannot be read: {error}", Verdict.TOTAL_FAILED, "FORMAT_FAILURE")
        yield draft.report()
        return
    for number, counter in enumerate(counters, 1):
        draft = Draft(field=_counter_name(field, number), kind="countersignature")
        with draft.guarded():
            judge_signer(draft, view, counter, Octets(signer.signature), setting, None)
        yield draft.report()
        if depth < MAX_NESTING:
            yield from _countersignatures(draft.field, view, counter, setting, depth + 1)


def _counter_name(field: str, number: int) -> str:
    return ", ".join(filter(None, (field, f"countersignature {number}")))


def verify(data: bytes, content: bytes | None, setting: Setting) -> Found:
    """Verify every signer, and every countersignature."""
    return Found(tuple(verify_cms_file(data, Octets(content) if content is not None else None, setting)))
