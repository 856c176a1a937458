"""A report as text for the person who will rely on the contract.

One line with the result, then a paragraph per signature; `verbose` adds every check with its clause and basis.
Text from the document or a certificate is stripped of control characters: it must not steer a terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from signer.report import Report, SignatureReport, Verdict
from signer.text import strings

_COLOURS = {
    Verdict.TOTAL_PASSED: "\x1b[32m",
    Verdict.TOTAL_FAILED: "\x1b[31m",
    Verdict.INDETERMINATE: "\x1b[33m",
    Verdict.NO_SIGNATURE: "\x1b[33m",
}
_MARKS = {Verdict.TOTAL_PASSED: "✓", Verdict.TOTAL_FAILED: "✗", Verdict.INDETERMINATE: "?", Verdict.NO_SIGNATURE: "–"}
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


def clean(value: str) -> str:
    """Replace control and direction-changing characters of foreign text."""
    return "".join("\ufffd" if c in _BIDI or (ord(c) < 32) or 0x7F <= ord(c) < 0xA0 else c for c in value)


def why(words: Mapping[str, str], signature: SignatureReport) -> str:
    """Say in the reader's language why a signature is not TOTAL-PASSED; empty when it is."""
    if signature.verdict is Verdict.TOTAL_PASSED:
        return ""
    by_code = words.get(f"code.{signature.code}") if signature.code else None
    by_word = words.get(f"sub.{signature.sub_indication}") if signature.sub_indication else None
    return by_code or by_word or words["sub.GENERIC"]


def text(report: Report, lang: str, *, verbose: bool, colour: bool) -> str:
    """Return the whole report."""
    words = strings(lang)

    def paint(value: str, verdict: Verdict) -> str:
        return f"{_COLOURS[verdict]}{value}\x1b[0m" if colour else value

    lines = [f"{clean(report.file)}: {paint(words['verdict.' + report.verdict], report.verdict)}"]
    for number, signature in enumerate(report.signatures, 1):
        lines.append("")
        head = f"{_MARKS[signature.verdict]} {words['mark.' + signature.verdict]}"
        sub = f" / {signature.sub_indication}" if signature.sub_indication else ""
        place = f"{words['label.field']} {clean(signature.field)}" if signature.field else ""
        kind = words["kind." + signature.kind]
        lines.append(f"{number}. {paint(head, signature.verdict)}{sub}  ({kind}{', ' + place if place else ''})")
        lines += [f"   {label}: {value}" for label, value in facts(words, signature)]
        if verbose:
            lines += _checks(words, signature)
    if report.empty_fields:
        lines += ["", f"{words['label.empty']}: {', '.join(clean(f) for f in report.empty_fields)}"]
    if report.warnings:
        lines += ["", f"{words['label.warnings']}:"] + [f"   {w.code}: {clean(w.detail)}" for w in report.warnings]
    if verbose:
        lines += ["", f"SHA-256 {report.sha256}", f"{words['label.checked']} {readable(report.checked_at)}"]
    return "\n".join(lines) + "\n"


def readable(moment: datetime) -> str:
    """Return a moment as people read it; programs find the whole of it in the JSON."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def facts(words: Mapping[str, str], signature: SignatureReport) -> list[tuple[str, str]]:
    """Return label and value of everything a reader wants to know about one signature."""
    rows: list[tuple[str, str]] = []
    if signature.verdict is not Verdict.TOTAL_PASSED:
        detail = f" ({clean(signature.reason)})" if signature.reason else ""
        rows.append((words["label.reason"], why(words, signature) + detail))
    signer = signature.signer
    if signer is not None:
        rows.append((words["label.signer"], clean(signer.common_name or signer.subject)))
        if signer.organisation and signer.organisation != signer.common_name:
            rows.append((words["label.organisation"], clean(signer.organisation)))
        if signer.identifiers:
            rows.append((words["label.identifiers"], ", ".join(_identifier(words, i) for i in signer.identifiers)))
        rows.append((words["label.issuer"], clean(signer.issuer)))
    algorithm = " · ".join(
        clean(part)
        for part in (signature.suite or signature.signature_algorithm, signature.subfilter, signature.level)
        if part
    )
    if algorithm:
        rows.append((words["label.algorithm"], algorithm))
    when = signature.signed_at
    rows.append(
        (
            words["label.signed"],
            f"{readable(when.value)}, {words['time.' + when.source]}" if when else words["time.unknown"],
        )
    )
    if signature.stated:
        stated = "; ".join(f"{words['stated.' + key]}: {clean(value)}" for key, value in signature.stated)
        rows.append((words["label.stated"], stated))
    if signature.revision is not None:
        part = words["revision.part"].format(index=signature.revision.index, of=signature.revision.of)
        rows.append(
            (words["label.revision"], words["revision.whole"] if signature.revision.covers_whole_file else part)
        )
    if signature.changes_after is not None:
        detail = "".join(f"\n      – {clean(item)}" for item in signature.changes_after.detail)
        rows.append((words["label.changes"], words["changes." + signature.changes_after.level] + detail))
    rows += [(words["label.warnings"], clean(w.detail)) for w in signature.warnings]
    return rows


def _identifier(words: Mapping[str, str], identifier: object) -> str:
    scheme, value, ok = (getattr(identifier, name) for name in ("scheme", "value", "checksum_ok"))
    if ok is None:
        return f"{clean(scheme)} {clean(value)}"
    return f"{clean(scheme)} {clean(value)} " + ("✓" if ok else f"✗ {words['checksum.bad']}")


def _checks(words: Mapping[str, str], signature: SignatureReport) -> list[str]:
    lines = [f"   {words['label.checks']}:"]
    marks = {"passed": "✓", "failed": "✗", "not-checked": "·"}
    for check in signature.checks:
        basis = f" [{clean(check.basis)}]" if check.basis else ""
        detail = f": {clean(check.detail)}" if check.detail else ""
        lines.append(f"     {marks[check.result]} {check.id}{detail}{basis}  ({check.clause})")
    layers = ", ".join(
        f"{words['layer.' + name]}: {words['result.' + result]}"
        for name, result in (
            ("cryptographic", signature.cryptographic.result),
            ("agreed", signature.agreed.result),
            ("recognised", signature.recognised[0][1].result if signature.recognised else "not-checked"),
        )
    )
    return [*lines, f"   {words['label.layers']}: {layers}"]
