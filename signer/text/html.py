"""A report as one self-contained HTML page: no script, no link, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from signer.report import Report, SignatureReport, Verdict
from signer.text import strings
from signer.text.render import clean, facts, readable

_STYLE = """
:root{--ink:#1c2430;--soft:#5d6b7c;--line:#dfe5ec;--good:#17704a;--bad:#b3261e;--open:#8a5a00;--paper:#fff}
*{box-sizing:border-box}body{margin:0;background:#f3f5f8;color:var(--ink);
font:16px/1.5 system-ui,"Noto Sans","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}
main{max-width:56rem;margin:2rem auto;padding:0 1rem}h1{font-size:1.4rem;margin:0 0 .25rem}
h2{font-size:1.05rem;margin:0}section,article{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;
padding:1.1rem 1.3rem;margin:0 0 1rem}.file{color:var(--soft);overflow-wrap:anywhere}
.TOTAL-PASSED{border-left:.45rem solid var(--good)}.TOTAL-FAILED{border-left:.45rem solid var(--bad)}
.INDETERMINATE,.NO-SIGNATURE{border-left:.45rem solid var(--open)}
b.TOTAL-PASSED,b.TOTAL-FAILED,b.INDETERMINATE,b.NO-SIGNATURE{border:0}b.TOTAL-PASSED{color:var(--good)}
b.TOTAL-FAILED{color:var(--bad)}b.INDETERMINATE,b.NO-SIGNATURE{color:var(--open)}
dl{display:grid;grid-template-columns:minmax(7rem,max-content) 1fr;gap:.2rem 1rem;margin:.8rem 0 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere;white-space:pre-line}
table{border-collapse:collapse;width:100%;font-size:.86rem}
td{padding:.25rem .5rem .25rem 0;border-top:1px solid var(--line);
vertical-align:top;overflow-wrap:anywhere}summary{cursor:pointer;color:var(--soft);margin-top:.7rem}
footer{color:var(--soft);font-size:.86rem;margin:1rem 0 3rem}
@media print{body{background:#fff}section,article{break-inside:avoid}}
"""


def page(reports: tuple[Report, ...], lang: str) -> str:
    """Return the page for one or several reports."""
    words = strings(lang)
    body = "\n".join(_report(words, report) for report in reports)
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(lang)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(words['html.title'])}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"{body}\n<footer>{escape(words['html.footer'])}</footer>\n</main>\n</body>\n</html>\n"
    )


def _t(value: str) -> str:
    return escape("\n".join(clean(line) for line in value.split("\n")))


def _report(words: Mapping[str, str], report: Report) -> str:
    notes = "".join(f"<dt>{_t(words['label.warnings'])}</dt><dd>{_t(w.detail)}</dd>" for w in report.warnings)
    if report.empty_fields:
        notes += f"<dt>{_t(words['label.empty'])}</dt><dd>{_t(', '.join(report.empty_fields))}</dd>"
    head = (
        f'<section class="{report.verdict}"><h1>{_t(words["html.title"])}</h1><div class="file">{_t(report.file)}</div>'
        f'<p><b class="{report.verdict}">{_t(words["verdict." + report.verdict])}</b></p>'
        f"<dl><dt>{_t(words['label.checked'])}</dt><dd>{readable(report.checked_at)}</dd>"
        f"<dt>SHA-256</dt><dd>{_t(report.sha256)}</dd>{notes}</dl></section>"
    )
    return head + "\n".join(_signature(words, n, s) for n, s in enumerate(report.signatures, 1))


def _signature(words: Mapping[str, str], number: int, signature: SignatureReport) -> str:
    marks = {Verdict.TOTAL_PASSED: "✓", Verdict.TOTAL_FAILED: "✗"}
    sub = f" / {signature.sub_indication}" if signature.sub_indication else ""
    who = signature.signer.common_name or signature.signer.subject if signature.signer else ""
    title = f"{number}. {words['kind.' + signature.kind]}" + (f": {who}" if who else "")
    rows = "".join(f"<dt>{_t(label)}</dt><dd>{_t(value)}</dd>" for label, value in facts(words, signature))
    checks = "".join(
        f"<tr><td>{_t(words['result.' + c.result])}</td><td>{_t(c.id)}</td><td>{_t(c.detail)} {_t(c.basis)}</td>"
        f"<td>{_t(c.clause)}</td></tr>"
        for c in signature.checks
    )
    mark = marks.get(signature.verdict, "?")
    return (
        f'<article class="{signature.verdict}"><h2>{_t(title)}</h2>'
        f'<b class="{signature.verdict}">{mark} {_t(words["mark." + signature.verdict])}{_t(sub)}</b><dl>{rows}</dl>'
        f"<details><summary>{_t(words['label.checks'])}</summary><table>{checks}</table></details></article>"
    )
