"""A report as text for the person who will rely on the contract.

The result, the four questions, then a paragraph per signature; `verbose` adds every check with its clause and basis.
Text from the document or a certificate is stripped of control characters: it must not steer a terminal. What the
program says in English only stands behind the sentence of the catalogue: in English reports, and where it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from signer.report import (
    NOT_CHECKED,
    BasisFile,
    CheckResult,
    IdentifierReport,
    LayerReport,
    Notice,
    Report,
    SignatureReport,
    Verdict,
)
from signer.text import strings
from signer.text.answers import name_of, readable, report_answers, signature_answers, stamped
from signer.text.cleaning import clean
from signer.text.seal_rows import seal_rows

Words = Mapping[str, str]

_COLOURS = {
    Verdict.TOTAL_PASSED: "\x1b[32m",
    Verdict.TOTAL_FAILED: "\x1b[31m",
    Verdict.INDETERMINATE: "\x1b[33m",
    Verdict.NO_SIGNATURE: "\x1b[33m",
}
MARKS = {Verdict.TOTAL_PASSED: "✓", Verdict.TOTAL_FAILED: "✗", Verdict.INDETERMINATE: "?", Verdict.NO_SIGNATURE: "–"}
_PLACE = re.compile(r"revision (?P<revision>\d+): (?:page (?P<page>\d+)\b)?")
"""How the details of later changes begin (`signer/verification/later.py`)."""
_PAGE = re.compile(r"^page (\d+)\b")
_UNCOVERED = re.compile(r" (?:covers|is not over) (.*)")
"""How details of remarks begin and end (`signer/pdf/shadow.py`, `signer/verification/kinds/asic.py`)."""
RESULT_MARKS = {"passed": "✓", "failed": "✗", "not-checked": "·"}


def why(words: Words, signature: SignatureReport) -> str:
    """Say in the reader's language why a signature is not TOTAL-PASSED; empty when it is."""
    if signature.verdict is Verdict.TOTAL_PASSED:
        return ""
    by_code = words.get(f"code.{signature.code}") if signature.code else None
    by_word = words.get(f"sub.{signature.sub_indication}") if signature.sub_indication else None
    return by_code or by_word or words["sub.GENERIC"]


def check_name(words: Words, check: CheckResult) -> str:
    """Return what a check is called in the reader's language."""
    return words.get(f"check.{check.id}", clean(check.id))


def notice(words: Words, note: Notice) -> str:
    """Return the sentence for a remark."""
    where = _where(words, note)
    return _sentence(words, note) + (f" ({where})" if where else "")


def _sentence(words: Words, note: Notice) -> str:
    known = words.get(f"notice.{note.code}")
    if known is not None:
        return known
    rule = words.get(f"check.{note.code}")
    return f"{words['result.failed']}: {rule}" if rule else f"{clean(note.code)}: {words['notice.other']}"


def text(report: Report, lang: str, *, verbose: bool, colour: bool) -> str:
    """Return the whole report."""
    words = strings(lang)
    technical = verbose or lang == "en"
    colon, comma = words["punctuation.colon"].rstrip(), words["punctuation.comma"]

    def paint(value: str, verdict: Verdict) -> str:
        return f"{_COLOURS[verdict]}{value}\x1b[0m" if colour else value

    lines = [f"{clean(report.file)}: {paint(words['verdict.' + report.verdict], report.verdict)}"]
    lines += [f"   {words['question.' + one.question]} {one.sentence(lang)}" for one in report_answers(report)]
    if report.warnings:
        lines += ["", f"{words['label.warnings']}{colon}"]
        lines += [f"   {_note(words, w, technical)}" for w in report.warnings]
    for number, signature in enumerate(report.signatures, 1):
        lines.append("")
        head = f"{MARKS[signature.verdict]} {words['mark.' + signature.verdict]}"
        sub = f" / {signature.sub_indication}" if signature.sub_indication else ""
        place = f"{words['label.field']} {clean(signature.field)}" if signature.field else ""
        kind = words["kind." + signature.kind]
        lines.append(f"{number}. {paint(head, signature.verdict)}{sub}  ({kind}{comma + place if place else ''})")
        lines += [
            f"   {label}{words['punctuation.colon']}{value}"
            for label, value in facts(words, signature, technical=technical)
        ]
        if verbose:
            lines += _checks(words, lang, signature)
    if report.empty_fields:
        lines += [
            "",
            f"{words['label.empty']}{words['punctuation.colon']}{', '.join(clean(f) for f in report.empty_fields)}",
        ]
    for basis in report.bases:
        lines += ["", *(f"{label}: {value}" for label, value in basis_facts(words, basis))]
    if verbose:
        lines += ["", f"SHA-256 {report.sha256}", f"{words['label.checked']} {readable(report.checked_at)}"]
    return "\n".join(lines) + "\n"


def _note(words: Words, note: Notice, technical: bool) -> str:
    if technical and note.detail:
        return f"{_sentence(words, note)} ({note.code}: {clean(note.detail)})"
    return notice(words, note)


def _where(words: Words, note: Notice) -> str:
    """Return the page or the file that an English detail names: a reader of any language has to find it."""
    if match := _PAGE.search(note.detail):
        return words["label.page"].format(number=match[1])
    if note.code == "not-covered" and (match := _UNCOVERED.search(note.detail)):
        return clean(match[1])
    return ""


def facts(words: Words, signature: SignatureReport, *, technical: bool = True) -> list[tuple[str, str]]:
    """Return label and value of everything a reader wants to know about one signature."""
    rows: list[tuple[str, str]] = []
    is_seal = signature.kind == "seal-object"
    if signature.verdict is not Verdict.TOTAL_PASSED:
        detail = f" ({clean(signature.reason)})" if signature.reason and technical else ""
        rows.append((words["label.reason"], why(words, signature) + detail))
    signer = signature.signer
    if signer is not None:
        rows.append(
            (words["label.seal-maker" if is_seal else "label.signer"], clean(signer.common_name or signer.subject))
        )
        if signer.organisation and signer.organisation != signer.common_name:
            rows.append((words["label.organisation"], clean(signer.organisation)))
        if signer.identifiers:
            rows.append((words["label.identifiers"], ", ".join(identifier(words, i) for i in signer.identifiers)))
        rows.append((words["label.issuer"], clean(signer.issuer)))
    rows += [(label, clean(value)) for label, value in seal_rows(words, signature)]
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
            words["label.seal-made" if is_seal else "label.signed"],
            f"{readable(when.value)}{words['punctuation.comma']}{words[_time_by(signature)]}"
            if when
            else words["time.unknown"],
        )
    )
    if signature.stated:
        colon = words["punctuation.colon"]
        stated = words["punctuation.semicolon"].join(
            f"{words['stated.' + key]}{colon}{clean(value)}" for key, value in signature.stated
        )
        rows.append((words["label.stated"], stated))
    if signature.revision is not None:
        part = words["revision.part"].format(index=signature.revision.index, of=signature.revision.of)
        rows.append(
            (words["label.revision"], words["revision.whole"] if signature.revision.covers_whole_file else part)
        )
    if signature.changes_after is not None:
        level, told = words["changes." + signature.changes_after.level], signature.changes_after.detail
        if told and not technical:
            level, told = f"{level} ({words['label.more']})", _places(words, told)
        rows.append((words["label.changes"], level + "".join(f"\n      – {clean(item)}" for item in told)))
    rows += [(words["label.warnings"], _note(words, w, technical)) for w in signature.warnings]
    if signature.agreed.basis is not None or any(layer.basis for _, layer in signature.recognised):
        rows += [(words["label.layers"], line) for line in layers(words, signature)]
    return rows


def _time_by(signature: SignatureReport) -> str:
    """Return the word for who says when; a time-stamp that is not believed is no proof of itself."""
    when = signature.signed_at
    if when is None:
        return "time.unknown"
    if when.source == "claimed":
        return "time.seal-claimed" if signature.kind == "seal-object" else "time.claimed"
    return "time.timestamp" if stamped(signature) else "time.stated"


def _places(words: Words, details: Sequence[str]) -> tuple[str, ...]:
    """Return the revisions and pages that English details are about, each once."""
    found: dict[tuple[str, str], None] = {}
    for detail in details:
        if match := _PLACE.match(detail):
            found[match["revision"], match["page"] or ""] = None
    paged = {revision for revision, page in found if page}
    return tuple(
        words["revision.page"].format(number=revision, page=page)
        if page
        else words["revision.place"].format(number=revision)
        for revision, page in found
        if page or revision not in paged
    )


def identifier(words: Words, found: IdentifierReport) -> str:
    """Return a national identifier and whether its check digit is right."""
    shown = f"{clean(found.scheme)} {clean(found.value)}"
    if found.checksum_ok is None:
        return shown
    return f"{shown} ✓" if found.checksum_ok else f"{shown} ✗ {words['checksum.bad']}"


def layers(words: Words, signature: SignatureReport) -> list[str]:
    """Return a line for each layer: its result, and what does not hold or was not checked."""
    colon = words["punctuation.colon"]
    named = [(words["layer.agreed"], signature.agreed)]
    for jurisdiction, layer in signature.recognised:
        named.append((words["layer.of"].format(jurisdiction=clean(jurisdiction)), layer))
    if not signature.recognised:
        named.append((words["layer.recognised"], NOT_CHECKED))
    lines = [f"{words['layer.cryptographic']}{colon}{words['result.' + signature.cryptographic.result]}"]
    for name, layer in named:
        result = layer.result
        open_ones = [check for check in layer.checks if check.result == result != "passed"]
        tail = "; ".join(f"{check_name(words, check)} [{clean(check.clause)}]" for check in open_ones)
        lines.append(f"{name}{colon}{words['result.' + result]}" + (f" ({tail})" if tail else ""))
        lines[-1] += _bound(words, signature, layer)
    return lines


def _bound(words: Words, signature: SignatureReport, layer: LayerReport) -> str:
    """Return which agreement a signature names, where it was judged by one."""
    for check in layer.checks:
        if check.id == "agreement-binding":
            other = "bound.none" if signature.policy is None else "bound.another"
            return words["punctuation.semicolon"] + words["bound.this" if check.result == "passed" else other]
    return ""


def basis_facts(words: Words, basis: BasisFile) -> list[tuple[str, str]]:
    """Return label and value of what a report says about an agreement or policy file."""
    label = words["label.agreement"]
    if basis.kind == "policy":
        label = words["label.policy"].format(jurisdiction=clean(basis.jurisdiction or ""))
    title = " ".join(clean(part) for part in (basis.title, basis.version) if part)
    rows = [(label, f"{title}, SHA-256 {basis.sha256}")]
    if basis.text:
        rows.append((words["label.basis"], " ".join(clean(line) for line in basis.text.splitlines())))
    if basis.details:
        rows.append((label, "; ".join(f"{words['detail.' + key]}: {clean(value)}" for key, value in basis.details)))
    if basis.kind == "agreement":
        signed = [
            f"{name_of(one.signer) if one.signer else '–'}: {words['mark.' + one.verdict]}"
            for one in basis.signatures or ()
        ]
        rows.append((words["label.agreement-signed"], "; ".join(map(clean, signed)) or words["label.not-signed"]))
    return rows


def head_rows(words: Words, report: Report) -> list[tuple[str, str]]:
    """Return label and value of what stands at the head of a page: which file, and when it was looked at."""
    rows = [(words["label.file"], report.file), ("SHA-256", report.sha256)]
    rows.append((words["label.checked"], readable(report.checked_at)))
    if report.validation_time is not None:
        rows.append((words["label.judged"], readable(report.validation_time)))
    if report.empty_fields:
        rows.append((words["label.empty"], ", ".join(report.empty_fields)))
    return rows


def check_groups(words: Words, signature: SignatureReport) -> list[tuple[str, tuple[CheckResult, ...]]]:
    """Return the checks of a signature, then those of each layer above under its name."""
    groups = [("", signature.checks), (words["layer.agreed"], signature.agreed.checks)]
    for jurisdiction, layer in signature.recognised:
        groups.append((words["layer.of"].format(jurisdiction=jurisdiction), layer.checks))
    return groups


def _checks(words: Words, lang: str, signature: SignatureReport) -> list[str]:
    lines = [f"   {words['label.answers']}:"]
    lines += [f"     {words['question.' + a.question]} {a.sentence(lang)}" for a in signature_answers(signature)]
    lines.append(f"   {words['label.checks']}:")
    lines += [_check(words, check) for check in signature.checks]
    lines += [f"   {words['label.layers']}: {'; '.join(layers(words, signature))}"]
    for name, layer in (("agreed", signature.agreed), *(("recognised", layer) for _, layer in signature.recognised)):
        if layer.checks:
            lines.append(f"   {words['layer.' + name]}:")
            lines += [_check(words, check) for check in layer.checks]
    return lines


def _check(words: Words, check: CheckResult) -> str:
    basis = f" [{clean(check.basis)}]" if check.basis else ""
    detail = f": {clean(check.detail)}" if check.detail else ""
    mark, name = RESULT_MARKS[check.result], check_name(words, check)
    return f"     {mark} {name} · {clean(check.id)}{detail}{basis}  ({clean(check.clause)})"
