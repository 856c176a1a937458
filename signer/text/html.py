"""A report as one self-contained HTML page that can be printed and handed in: no script, no link, nothing loaded.

    page((report,), "zh", {0: pictures_of(report, data)})
    "".join((head("zh"), report_part(report, "zh", pictures), tail()))       # the same, piece by piece

The verdict first, the four questions, then the signed pages with the verdict on each signature beside them. Checks are
folded. Pictures and the hanzi it needs are inside. Everything from a document is cleaned and escaped.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape
from importlib import resources

from signer.appearance.words import algorithm_label
from signer.report import BasisFile, CheckResult, Report, SealReport, SignatureReport
from signer.text import strings
from signer.text.answers import report_answers, signature_answers
from signer.text.cleaning import clean
from signer.text.page_fonts import font_style
from signer.text.pictures import PagePicture
from signer.text.render import (
    MARKS,
    RESULT_MARKS,
    Words,
    basis_facts,
    check_groups,
    check_name,
    head_rows,
    identifier,
    layers,
    notice,
    why,
)
from signer.text.seal_rows import seal_rows

Pictures = tuple[PagePicture, ...]
MAX_SEAL = 60
"""Millimetres of a seal's picture on the page, whatever the seal says."""


def page(reports: tuple[Report, ...], lang: str, pictures: Mapping[int, Pictures] | None = None) -> str:
    """Return the page for one or several reports; `pictures` by position of the report."""
    drawn = pictures or {}
    parts = [report_part(report, lang, drawn.get(index, ())) for index, report in enumerate(reports)]
    return head(lang) + "\n".join(parts) + tail()


def head(lang: str) -> str:
    """Return what stands before the first report."""
    style = resources.files("signer.text").joinpath("page.css").read_text("utf-8")
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(lang)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(strings(lang)['html.title'])}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
    )


def tail() -> str:
    """Return what stands behind the last report."""
    return "\n</body>\n</html>\n"


def report_part(report: Report, lang: str, pictures: Pictures = ()) -> str:
    """Return the part of one file."""
    words = strings(lang)
    verdict, _, sentence = words["verdict." + report.verdict].replace("：", ": ").partition(": ")
    rows = head_rows(words, report)
    rows += [(words["label.warnings"], notice(words, note)) for note in report.warnings]
    questions = "".join(
        f"<div><dt>{_t(words['question.' + answer.question])}</dt><dd>{_t(answer.sentence(lang))}</dd></div>"
        for answer in report_answers(report)
    )
    numbered = list(enumerate(report.signatures, 1))
    cards = "\n".join(_card(words, lang, number, signature) for number, signature in numbered)
    shown = _pictures(words, report, pictures)
    details = "\n".join(_details(words, number, signature) for number, signature in numbered)
    part = (
        f'<section class="report {report.verdict}">\n<header><h1>{_t(words["html.title"])}</h1>'
        f'<p class="verdict"><span class="mark">{MARKS[report.verdict]}</span> '
        f"<b>{_t(verdict)}</b> {_t(sentence)}</p><dl>{_rows(rows)}</dl></header>\n"
        f'<dl class="questions">{questions}</dl>\n'
        f'<div class="sheet">{shown}<div class="cards">{cards}</div></div>\n'
        f"{_bases(words, report.bases)}{details}\n"
        f"<footer>{_t(words['html.footer'])} {_t(words['report.limits'])}</footer>\n</section>"
    )
    return font_style(part) + part


def _t(value: str) -> str:
    return escape("\n".join(clean(line) for line in value.split("\n")))


def _rows(rows: list[tuple[str, str]]) -> str:
    return "".join(f"<dt>{_t(label)}</dt><dd>{_t(value)}</dd>" for label, value in rows)


def card_rows(words: Words, lang: str, signature: SignatureReport) -> list[tuple[str, str]]:
    """Return label and value of what stands on the card of a signature, catalogue sentences and data only."""
    rows: list[tuple[str, str]] = []
    signer = signature.signer
    if reason := why(words, signature):
        rows.append((words["label.reason"], reason))
    if signer is not None:
        if signer.organisation and signer.organisation != signer.common_name:
            rows.append((words["label.organisation"], signer.organisation))
        if signer.identifiers:
            rows.append((words["label.identifiers"], ", ".join(identifier(words, i) for i in signer.identifiers)))
        rows.append((words["label.issuer"], signer.issuer))
    rows += seal_rows(words, signature.seal)
    algorithm = algorithm_label(signature.suite) if signature.suite else signature.signature_algorithm
    parts = " · ".join(part for part in (algorithm, signature.level) if part)
    if parts:
        rows.append((words["label.algorithm"], parts))
    _, what, when, unchanged = signature_answers(signature)
    for label, answer in (("label.revision", what), ("label.signed", when), ("question.unchanged", unchanged)):
        rows.append((words[label], answer.sentence(lang)))
    lines = layers(words, signature)
    judged = signature.agreed.basis is not None or signature.recognised
    rows += [
        (words["label.layers"], line) for line in (lines if judged else [words["punctuation.semicolon"].join(lines)])
    ]
    rows += [(words["label.warnings"], notice(words, note)) for note in signature.warnings]
    return rows


def card_title(words: Words, signature: SignatureReport) -> str:
    """Return the name on the card: the signer's, else the kind of signature."""
    signer = signature.signer
    who = (signer.common_name or signer.organisation or signer.subject) if signer else ""
    return who or words["kind." + signature.kind]


def card_verdict(words: Words, signature: SignatureReport) -> str:
    """Return the verdict as it stands on the card."""
    sub = f" / {signature.sub_indication}" if signature.sub_indication else ""
    kind = words["kind." + signature.kind]
    return f"{MARKS[signature.verdict]} {words['mark.' + signature.verdict]} · {signature.verdict.value}{sub} · {kind}"


def _card(words: Words, lang: str, number: int, signature: SignatureReport) -> str:
    return (
        f'<article class="{signature.verdict}"><h2><span class="number">{number}</span> '
        f'{_t(card_title(words, signature))}</h2><p class="verdict">{_t(card_verdict(words, signature))}</p>'
        f"{_seal(words, signature.seal)}<dl>{_rows(_merged(card_rows(words, lang, signature)))}</dl></article>"
    )


def _seal(words: Words, seal: SealReport | None) -> str:
    """Return the picture of a seal, as large as the seal is; nothing where it cannot be shown safely."""
    if seal is None or not seal.picture:
        return ""
    data = base64.b64encode(seal.picture).decode("ascii")
    width = min(max(seal.width, 1), MAX_SEAL)
    alt = _t(words["label.seal-picture"])
    return f'<img class="seal" alt="{alt}" style="width:{width}mm" src="data:image/png;base64,{data}">'


def _merged(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join the values of one label that stands several times in a row."""
    out: list[tuple[str, str]] = []
    for label, value in rows:
        if out and out[-1][0] == label:
            out[-1] = (label, f"{out[-1][1]}\n{value}")
        else:
            out.append((label, value))
    return out


def _pictures(words: Words, report: Report, pictures: Pictures) -> str:
    """Return the pages with a numbered frame around each signature."""
    if not pictures:
        return ""
    figures = "".join(_figure(words, picture) for picture in pictures)
    hidden = hidden_numbers(report, pictures)
    note = f"<p>{_t(words['label.invisible'].format(numbers=', '.join(map(str, hidden))))}</p>" if hidden else ""
    return f'<div class="pages">{figures}{note}</div>'


def hidden_numbers(report: Report, pictures: Pictures) -> list[int]:
    """Return the numbers of the signatures that no picture shows."""
    marked = {mark.number for picture in pictures for mark in picture.marks}
    return [number for number in range(1, len(report.signatures) + 1) if number not in marked]


def _figure(words: Words, picture: PagePicture) -> str:
    caption = _t(words["label.page"].format(number=picture.page))
    if not picture.png:
        return f"<figure><p>{_t(words['label.no-picture'])}</p><figcaption>{caption}</figcaption></figure>"
    frames = "".join(
        f'<span class="frame {mark.verdict}" style="left:{mark.left:.2%};top:{mark.top:.2%};'
        f'width:{mark.width:.2%};height:{mark.height:.2%}"><span class="number">{mark.number}</span></span>'
        for mark in picture.marks
    )
    data = base64.b64encode(picture.png).decode("ascii")
    return (
        f'<figure><div class="page"><img alt="{caption}" src="data:image/png;base64,{data}">{frames}</div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _bases(words: Words, bases: tuple[BasisFile, ...]) -> str:
    if not bases:
        return ""
    rows = [row for basis in bases for row in basis_facts(words, basis)]
    return f'<section class="bases"><h2>{_t(words["label.basis"])}</h2><dl>{_rows(_merged(rows))}</dl></section>\n'


def _details(words: Words, number: int, signature: SignatureReport) -> str:
    """Return the checks of one signature, folded; in print they are left out."""
    body = ""
    for title, checks in check_groups(words, signature):
        if title and checks:
            body += f'<tr><th colspan="4">{_t(title)}</th></tr>'
        body += "".join(_check(words, check) for check in checks)
    extra = [*(signature.changes_after.detail if signature.changes_after else ())]
    extra += [f"{note.code}: {note.detail}" for note in signature.warnings]
    extra += [signature.reason] if signature.reason else []
    technical = "".join(f"<li>{_t(line)}</li>" for line in extra)
    label = _t(words["label.technical"])
    listed = f'<p>{label}</p><ul lang="en">{technical}</ul>' if technical else ""
    title = f"{number}. {card_title(words, signature)}{words['punctuation.colon']}{words['label.checks']}"
    return f"<details><summary>{_t(title)}</summary><table>{body}</table>{listed}</details>"


def _check(words: Words, check: CheckResult) -> str:
    detail = " ".join(part for part in (check.detail, f"[{check.basis}]" if check.basis else "") if part)
    return (
        f'<tr class="{check.result}"><td>{RESULT_MARKS[check.result]} {_t(words["result." + check.result])}</td>'
        f"<td>{_t(check_name(words, check))}<br><code>{_t(check.id)}</code></td>"
        f'<td lang="en">{_t(detail)}</td><td>{_t(check.clause)}</td></tr>'
    )
