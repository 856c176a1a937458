"""`/docs` and `/docs/errors`: the API and its errors as plain pages, made from the same data as everything else.

No script and nothing from elsewhere: the pages work on a machine without a network, and under a strict content security
policy. The style sheet is allowed by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
from html import escape
from typing import Any, Final

from fastapi import FastAPI
from starlette.responses import HTMLResponse

from api.errors import CODES, RETRY_AFTER
from certs.errors import SealroadError

STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.7rem}h2{margin-top:2.5rem;border-bottom:1px solid #d0d7de}h3{margin:1.8rem 0 .3rem;font-size:1.05rem}
code{font:14px/1.4 ui-monospace,monospace;background:#f3f4f6;padding:.1rem .3rem;border-radius:.2rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}td,th{border:1px solid #d0d7de;padding:.3rem .5rem;
text-align:left;vertical-align:top}.verb{display:inline-block;min-width:4.2rem;font-weight:700;color:#0b5394}a{color:#0b5394}
@media(prefers-color-scheme:dark){body{color:#e6e8eb;background:#16191d}code{background:#262b31}
td,th,h2{border-color:#3b424a}a,.verb{color:#8ec1ff}}
"""

_POLICY: Final = (
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)


def install(app: FastAPI) -> None:
    """Add the pages."""

    @app.get("/docs", include_in_schema=False)
    def api_page() -> HTMLResponse:
        return _page("Sealroad API", _operations(app.openapi()))

    @app.get("/docs/errors", include_in_schema=False)
    def errors_page() -> HTMLResponse:
        return _page("Sealroad: error codes", _errors())


def _page(title: str, body: str) -> HTMLResponse:
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )
    return HTMLResponse(html, headers={"content-security-policy": _POLICY})


def _operations(schema: dict[str, Any]) -> str:
    parts = [f"<p>{_prose(schema['info']['description'])}</p>"]
    parts.append('<p>Machine-readable: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1). ')
    parts.append('Errors: <a href="/docs/errors">/docs/errors</a>.</p>')
    groups: dict[str, list[str]] = {}
    for path, operations in schema["paths"].items():
        for verb, operation in operations.items():
            groups.setdefault(operation.get("tags", ["other"])[0], []).append(_operation(schema, path, verb, operation))
    for group, texts in groups.items():
        parts.append(f"<h2>{escape(group.capitalize())}</h2>")
        parts += texts
    return "".join(parts)


def _operation(schema: dict[str, Any], path: str, verb: str, operation: dict[str, Any]) -> str:
    name = f'<span class="verb">{verb.upper()}</span> <code>{escape(path)}</code>'
    parts = [f'<h3 id="{escape(operation["operationId"])}">{name}</h3>']
    parts.append(f"<p>{_prose(operation.get('description', operation.get('summary', '')))}</p>")
    rows = [
        (
            parameter["name"],
            f"{parameter['in']}{', required' if parameter.get('required') else ''}",
            parameter.get("description", ""),
        )
        for parameter in operation.get("parameters", [])
    ]
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        rows += _fields(schema, content.get("schema", {}), media)
    if rows:
        parts.append("<table><tr><th>Name</th><th>Where</th><th>Meaning</th></tr>")
        parts += [
            f"<tr><td><code>{escape(a)}</code></td><td>{escape(b)}</td><td>{_prose(c)}</td></tr>" for a, b, c in rows
        ]
        parts.append("</table>")
    shared = schema["components"]["responses"]
    answers = [
        f"<code>{status}</code> {escape(shared.get(_name(answer), answer)['description'])}"
        for status, answer in operation["responses"].items()
    ]
    parts.append(f"<p>Answers: {'; '.join(answers)}</p>")
    return "".join(parts)


def _fields(schema: dict[str, Any], node: dict[str, Any], where: str) -> list[tuple[str, str, str]]:
    options = [node, *node.get("anyOf", [])]
    names = [name for option in options if (name := _name(option))]
    if not names:
        return []
    model = schema["components"]["schemas"][names[0]]
    required = set(model.get("required", []))
    return [
        (name, f"{where}{', required' if name in required else ''}", field.get("description", ""))
        for name, field in model.get("properties", {}).items()
    ]


def _name(node: dict[str, Any]) -> str:
    """Return what a node refers to among the components, or nothing."""
    return str(node.get("$ref", "")).rpartition("/")[2]


def error_rows() -> list[tuple[str, int, str, str, str]]:
    """Return (code, status, title, meaning, hint) of every error a client can meet, by code."""
    classes = {kind.code: kind for kind in _all_errors()}
    rows = []
    for code, row in sorted(CODES.items()):
        if row.private and code != "internal-error":
            continue
        kind = classes.get(code)
        meaning = " ".join((inspect.getdoc(kind) or "").split()) if kind else ""
        rows.append((code, row.status, row.title, meaning, kind.default_hint if kind else ""))
    return rows


def _all_errors() -> list[type[SealroadError]]:
    import signer.errors  # noqa: F401 - its classes are part of the tree

    found, queue = [], [SealroadError]
    while queue:
        kind = queue.pop()
        found.append(kind)
        queue.extend(kind.__subclasses__())
    return found


def _errors() -> str:
    parts = ["<p>Every error is an <code>application/problem+json</code> document (RFC 9457) with a stable code.</p>"]
    parts.append("<table><tr><th>Code</th><th>Status</th><th>Meaning</th></tr>")
    for code, status, title, meaning, hint in error_rows():
        retry = f" Retry after {RETRY_AFTER[code]} s." if code in RETRY_AFTER else ""
        text = f"<strong>{escape(title)}.</strong> {_prose(meaning)} {_prose(hint)}{retry}"
        parts.append(f'<tr id="{code}"><td><code>{code}</code></td><td>{status}</td><td>{text}</td></tr>')
    return "".join(parts) + "</table>"


def _prose(text: str) -> str:
    """Return text as HTML: backquotes become code, blank lines become breaks."""
    pieces = escape(text).split("`")
    joined = "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))
    return joined.replace("\n\n", "<br><br>")
