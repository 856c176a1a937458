"""`sealroad verify FILE --revision N --out FILE` and `--diff --out DIR`: what a signer saw, and what changed since.

Nothing is verified here. Files are written under a temporary name and renamed, never over an input.
"""

from __future__ import annotations

import argparse
import contextlib
import html
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from certs import files
from signer.errors import OptionError, UnreadableFile
from signer.revisions import PagePair, Revisions

WORDS = {
    "en": {
        "title": "What changed after revision {number} of {count}",
        "signed": "Revision {number} was signed in: {names}",
        "unsigned": "Revision {number} is not what a signature covers",
        "changes": "Changes, as far as the structure of the file tells",
        "none": "none",
        "page": "Page {page}: revision {number} on the left, the file as it is now on the right",
        "same": "No page looks different.",
        "fault": "Page {page} could not be drawn: {fault}",
        "note": "Pictures are for reading. Whether a change is allowed is said by the report of the verification.",
    },
    "zh": {
        "title": "第 {number} 版（共 {count} 版）之后的变更",
        "signed": "第 {number} 版签名所在域：{names}",
        "unsigned": "第 {number} 版不是任何签名所涵盖的版本",
        "changes": "文件结构所显示的变更",
        "none": "无",
        "page": "第 {page} 页：左侧为第 {number} 版，右侧为文件现状",
        "same": "没有任何页面的外观发生变化。",
        "fault": "第 {page} 页无法绘制：{fault}",
        "note": "图片仅供阅读。变更是否被允许，以验证报告为准。",
    },
    "ru": {
        "title": "Что изменилось после редакции {number} из {count}",
        "signed": "Редакция {number} подписана в поле: {names}",
        "unsigned": "Редакция {number} не охвачена ни одной подписью",
        "changes": "Изменения, насколько их показывает структура файла",
        "none": "нет",
        "page": "Страница {page}: слева редакция {number}, справа файл в нынешнем виде",
        "same": "Ни одна страница не выглядит иначе.",
        "fault": "Страницу {page} не удалось изобразить: {fault}",
        "note": "Изображения служат для чтения. Допустимо ли изменение, говорит отчёт о проверке.",
    },
}


def run(args: argparse.Namespace, read: Callable[[str], bytes]) -> int:
    """Extract or compare; returns the exit code. Raises SealroadError for wrong usage."""
    if len(args.files) != 1 or not args.out:
        raise OptionError("--revision and --diff take one file and --out", hint="sealroad verify FILE --diff --out DIR")
    name, out = args.files[0], Path(args.out)
    if name != "-" and out.resolve() == Path(name).resolve():
        raise OptionError("the output would overwrite the input", hint="give --out another name")
    found = Revisions(read(name))
    return _diff(args, found, out) if args.diff else _extract(args.revision, found, out)


def _extract(number: int, found: Revisions, out: Path) -> int:
    data = found.extract(number)
    if str(out) == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return 0
    try:
        files.write(out, data)
    except OSError as error:
        raise _failed(out, error) from error
    names = ", ".join(found.signed.get(number, ()))
    said = f"signed in {names}" if names else "which no signature covers"
    print(f"revision {number} of {found.count}, {len(data)} octets, {said}: {out}")
    return 0


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Give a temporary directory beside its target, gone afterwards unless it was renamed. Raises UnreadableFile."""
    try:
        made = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise _failed(target, error) from error


def _failed(target: Path, error: OSError) -> UnreadableFile:
    reason = error.strerror or type(error).__name__
    return UnreadableFile(f"cannot write {target}: {reason.lower()}", hint="check the directory")


def _diff(args: argparse.Namespace, found: Revisions, out: Path) -> int:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OptionError(f"{out} is there already and not an empty directory", hint="give --out a new name")
    number = args.revision if args.revision is not None else min(found.signed, default=1)
    changes = found.changes(number)
    with _beside(out) as temporary:
        pages = []
        for page in found.differing(number):
            if page.picture is not None:
                (temporary / f"page-{page.number}.png").write_bytes(page.picture)
            pages.append(page)
        text = page_text(found, number, changes, pages, args.lang)
        (temporary / "index.html").write_text(text, encoding="utf-8")
        temporary.chmod(0o755)
        if out.exists():
            out.rmdir()
        temporary.rename(out)
    numbers = ", ".join(str(page.number) for page in pages) or "none"
    print(f"pages that look different after revision {number} of {found.count}: {numbers}: {out / 'index.html'}")
    return 0


def page_text(found: Revisions, number: int, changes: tuple[str, ...], pages: list[PagePair], lang: str = "en") -> str:
    """Return the HTML that shows the pictures beside it."""
    words = WORDS[lang]
    names = ", ".join(found.signed.get(number, ()))
    facts = {"number": number, "count": found.count, "names": names}
    body = [f"<h1>{_said(words['title'], **facts)}</h1>"]
    body.append(f"<p>{_said(words['signed' if names else 'unsigned'], **facts)}</p>")
    body.append(f"<h2>{_said(words['changes'])}</h2>")
    body.append("<ul>" + "".join(f"<li>{_said('{c}', c=c)}</li>" for c in changes or (words["none"],)) + "</ul>")
    for page in pages:
        if page.picture is None:
            body.append(f"<p>{_said(words['fault'], page=page.number, fault=page.fault)}</p>")
        else:
            caption = _said(words["page"], page=page.number, number=number)
            body.append(f'<h2>{caption}</h2><img src="page-{page.number}.png" alt="{caption}">')
    if not pages:
        body.append(f"<p>{_said(words['same'])}</p>")
    body.append(f"<p><small>{_said(words['note'])}</small></p>")
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8">'
        f"<title>{_said(words['title'], **facts)}</title>"
        "<style>body{font:16px/1.5 sans-serif;margin:2rem}img{max-width:100%;border:1px solid #888}</style></head>\n"
        f"<body>{chr(10).join(body)}</body></html>\n"
    )


def _said(words: str, **facts: object) -> str:
    return html.escape(words.format(**facts))
