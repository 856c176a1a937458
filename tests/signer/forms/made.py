"""A contract with fields, and how the tests fill and sign it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from signer.forms import FormField, lay_out
from signer.forms.filling import Filling
from signer.pades.engine import open_writer
from signer.pades.options import SignOptions
from signer.pades.preflight import examine
from signer.pades.sign import sign_bytes, stream_of
from signer.pades.working import Working
from signer.verify import verify_bytes
from tests.conftest import CLOCK, circle_of, make_pdf

PRICE = FormField("price", 1, (60, 600, 260, 620), "text", label="Цена", required=True)
ADDRESS = FormField("address", 1, (60, 500, 260, 560), "text", label="Адрес")
AGREED = FormField("agreed", 1, (300, 540, 314, 554), "checkbox", required=True)
DAY = FormField("day", 1, (300, 600, 420, 618), "date", language="zh-Hans")
NAME = FormField("name", 1, (60, 420, 260, 440), "text", value="𠮷䶮 и Ёлкин", max_length=40)
EXTRA = FormField("extra", 1, (330, 540, 344, 554), "checkbox", value=True)
FIELDS = (PRICE, ADDRESS, AGREED, DAY, NAME, EXTRA)

ONE: dict[str, Any] = {
    "field": "One",
    "values": (
        ("price", "1 200 000 ¥ — 一百二十万元"),
        ("address", "上海市浦东新区世纪大道100号环球金融中心\nул. Тверская, д. 7, Москва, во дворе направо"),
        ("agreed", True),
    ),
    "locks": ("price", "address", "agreed"),
}
TWO: dict[str, Any] = {
    "field": "Two",
    "values": (("day", "2027年1月2日"), ("name", "𠮷䶮 ➀ Ё"), ("extra", False)),
    "locks": ("day", "name", "extra"),
}


def laid_out(data: bytes | None = None, fields: tuple[FormField, ...] = FIELDS, **more: Any) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name, "source.pdf"), Path(name, "target.pdf")
        source.write_bytes(data or make_pdf())
        lay_out(source, target, fields, **more)
        return target.read_bytes()


def signed(pdf: bytes, suite: str, credentials: Any = None, **options: Any) -> bytes:
    circle = circle_of(suite)
    holder = circle.person if options["field"] == "One" else circle.organisation
    return sign_bytes(
        pdf,
        holder.key,
        holder.certificate,
        (circle.issuing,),
        SignOptions(**options),
        CLOCK,
        credentials=credentials,
    )


def contract(suite: str) -> bytes:
    """Return a contract that two parties filled and signed."""
    return signed(signed(laid_out(), suite, **ONE), suite, **TWO)


def verdicts(pdf: bytes, suite: str) -> list[tuple[str, str]]:
    """Return verdict and level of later changes of each signature, oldest first."""
    report = verify_bytes(pdf, name="x.pdf", trust=circle_of(suite).trust, clock=CLOCK)
    return [(row["verdict"], row["changes_after"]["level"]) for row in report.to_json()["signatures"]]


def refilled(pdf: bytes, *values: tuple[str, str | bool]) -> bytes:
    """Return a file in which somebody fills fields without asking anybody."""
    ground = examine(pdf, SignOptions())
    writer = open_writer(stream_of(Working(pdf), ground), ground.highest)
    Filling(ground, values).write(writer)
    tail, _ = writer.whole_update()
    return pdf + tail.getvalue()
