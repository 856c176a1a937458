"""Answer with a stored file: ETag is its SHA-256, ranges and If-None-Match are honoured."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from api.errors import RangeNotSatisfiable
from api.kit.conditional import has
from api.kit.edge import Unit

CHUNK = 1 << 18


def file_response(
    unit: Unit,
    request: Request,
    sha256: str,
    *,
    name: str,
    plain_name: str = "document.pdf",
    media_type: str = "application/pdf",
) -> Response:
    """Return the object as a download (RFC 9110 clauses 13 and 14, RFC 9530 Repr-Digest).

    `plain_name` is for programs that do not know names in other scripts than Latin.
    """
    tag = f'"{sha256}"'
    headers = {
        "etag": tag,
        "accept-ranges": "bytes",
        "repr-digest": f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:",
        "content-disposition": f"attachment; filename=\"{plain_name}\"; filename*=UTF-8''{quote(name, safe='')}",
    }
    if has(request, tag):
        return Response(status_code=304, headers=headers)
    stack = ExitStack()
    try:
        path = stack.enter_context(unit.context.storage.local(sha256))
        size = path.stat().st_size
        start, end, status = 0, size, 200
        if (wanted := request.headers.get("range")) and request.headers.get("if-range", tag) == tag:
            found = _range(wanted, size)
            if found is not None:
                (start, end), status = found, 206
                headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    except BaseException:
        stack.close()
        raise
    headers["content-length"] = str(end - start)
    return StreamingResponse(_read(path, start, end, stack), status, headers, media_type=media_type)


def _range(header: str, size: int) -> tuple[int, int] | None:
    """Return the half-open range of a single `bytes=` range; None where the header is to be ignored."""
    unit, _, spec = header.partition("=")
    first, dash, last = spec.strip().partition("-")
    if unit.strip().lower() != "bytes" or not dash or "," in spec or not (first + last).isascii():
        return None
    if (first and not first.isdecimal()) or (last and not last.isdecimal()) or len(first + last) > 30:
        return None
    if first:
        start, end = int(first), min(int(last) + 1 if last else size, size)
    elif last:
        start, end = max(size - int(last), 0), size
    else:
        return None
    if last and first and int(last) < int(first):
        return None
    if start >= size or start >= end:
        raise RangeNotSatisfiable(f"the file has {size} octets")
    return start, end


def _read(path: Path, start: int, end: int, stack: ExitStack) -> Iterator[bytes]:
    with stack, path.open("rb") as file:
        file.seek(start)
        left = end - start
        while left > 0 and (chunk := file.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
