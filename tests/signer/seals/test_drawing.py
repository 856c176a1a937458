"""Drawn seals: letters stay inside the border, apart from one another and off the star; no text is mended or cut."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.errors import AppearanceError
from signer.seals.drawing import DrawnSeal, SealDrawing, SealKind, draw, parse_colour
from signer.seals.drawing.setting import Shape
from signer.seals.drawing.square import columns
from tests.signer.seals.geometry import hull, letters, points, spread, touch

ROUND, OVAL, SQUARE, RUSSIAN, BLOCK = SealKind
NAMES = {
    "two": "华为",
    "usual": "杭州砚川自动化设备有限公司",
    "brackets": "莱茵（上海）国际货运代理有限公司",
    "rare": "张𠮷䶮𪚥商行",
    "forty": "中国（上海）自由贸易试验区临港新片区国际数据经济产业园示范应用技术研究开发有限公司",
    "cyrillic": "ООО «Кедр-Автоматика»",
    "kazakh": "«ҚазМұнайӨңдеу» ЖШС",
    "latin": "Rhein-Logistik Co., Ltd.",
    "marks": "Công ty Ẩm thực Việt Ở",
    "mixed": "示例 Example ООО «Пример»",
}
FULL = {
    ROUND: {"title": "合同专用章", "code": "3301080012345", "lines": ("(12)",)},
    OVAL: {"title": "发票专用章", "code": "91330108MAD4K7R20G", "lines": ("(1)",)},
    SQUARE: {"title": "印"},
    RUSSIAN: {"title": "г. Новосибирск", "code": "ОГРН 1165476000000 • ИНН 5406000000"},
    BLOCK: {"title": "Electronic seal", "code": "VATDE-123456789", "lines": ("2026-11-27 14:03:22 UTC+1",)},
}
LONG_RUSSIAN = (
    "Федеральное государственное бюджетное образовательное учреждение высшего образования «Сибирский институт»"
)


def seal(kind: SealKind, name: str, **more: object) -> DrawnSeal:
    return draw(SealDrawing(kind=kind, name=name, **more))


def cases() -> list[tuple[SealKind, str, bool]]:
    """Every kind with every name it has room for, bare and with all that it can say."""
    fits = {SQUARE: {"two", "usual", "brackets", "rare"}}
    return [
        pytest.param(kind, name, full, id=f"{kind}-{key}-{'full' if full else 'bare'}")
        for kind in SealKind
        for key, name in NAMES.items()
        if key in fits.get(kind, NAMES)
        for full in (False, True)
        if not (kind is SQUARE and full and key == "brackets")
    ]


def inside(drawn: DrawnSeal, shape: Shape) -> bool:
    """Whether all ink of a letter is inside the border of its seal."""
    wide, high = drawn.width, drawn.height
    half = shape.weight / 2
    if drawn.spec.kind in {ROUND, OVAL, RUSSIAN}:
        border = {ROUND: 1.2 * wide / 42, OVAL: 1.0 * min(wide / 40, high / 30), RUSSIAN: 1.7 * wide / 40}
        edge = border[drawn.spec.kind] + half
        a, b = wide / 2 - edge, high / 2 - edge
        return all(((x - wide / 2) / a) ** 2 + ((y - high / 2) / b) ** 2 < 1 for x, y in points(shape))
    left = 2.4 if drawn.spec.kind is BLOCK else 1.1
    return all(left + half < x < wide - 0.35 - half and 0.35 + half < y < high - 0.35 - half for x, y in points(shape))


def check(drawn: DrawnSeal) -> None:
    """Every letter is there, once and in order, inside the border, and touches no other."""
    found = letters(drawn)
    shown = "".join(shape.text for shape in found)
    for text in (drawn.spec.name, drawn.spec.title, drawn.spec.code, *drawn.spec.lines):
        assert "".join((text or "").split()) in shown
    assert all(inside(drawn, shape) for shape in found)
    hulls = [hull(points(shape)) for shape in found]
    pairs = combinations(range(len(found)), 2)
    assert [(found[a].text, found[b].text) for a, b in pairs if touch(hulls[a], hulls[b])] == []


@pytest.mark.parametrize(("kind", "name", "full"), cases())
def test_every_letter_is_there_inside_the_border_and_apart(kind: SealKind, name: str, full: bool) -> None:
    check(seal(kind, name, **FULL[kind] if full else {}))


CROWDED = {"title": "国际贸易进出口合同专用章", "code": "3301080012345", "lines": ("演示专用不得用于合同",)}


@pytest.mark.parametrize("name", [NAMES["two"], NAMES["usual"], NAMES["forty"]])
def test_a_crowded_round_seal_keeps_its_texts_apart(name: str) -> None:
    check(seal(ROUND, name, **CROWDED))


@pytest.mark.parametrize(("width", "height"), [(45, 30), (30, 45), (60, 30), (40, 40), (80, 36)])
def test_an_oval_of_other_proportions_keeps_its_texts_apart(width: float, height: float) -> None:
    check(seal(OVAL, NAMES["usual"], width=width, height=height, **FULL[OVAL]))


@pytest.mark.parametrize(("width", "height"), [(120, 10), (10, 120)])
def test_an_oval_too_flat_for_letters_is_refused(width: float, height: float) -> None:
    with pytest.raises(AppearanceError, match="does not fit"):
        seal(OVAL, NAMES["usual"], width=width, height=height)


@pytest.mark.parametrize("name", ["华为", NAMES["usual"], NAMES["forty"]])
@pytest.mark.parametrize("full", [False, True])
def test_no_letter_touches_the_star(name: str, full: bool) -> None:
    drawn = seal(ROUND, name, **FULL[ROUND] if full else {})
    star = drawn.shapes[1]
    tips = points(star)
    middle = (21.0, 21.0)
    # Its ten corners, tip and notch in turn: five kites, each convex.
    kites = [[middle, tips[index - 1], tips[index], tips[(index + 1) % 10]] for index in range(0, 10, 2)]
    for shape in letters(drawn):
        assert not any(touch(hull(points(shape)), kite) for kite in kites), shape.text


def test_the_round_seal_has_the_measures_of_the_rule() -> None:
    drawn = seal(ROUND, NAMES["usual"])
    assert (drawn.width, drawn.height) == (42, 42)
    border, star = drawn.shapes[0], drawn.shapes[1]
    radii = {round(math.dist(at, (21, 21)), 2) for verb, values in border.path if values for at in [values[-2:]]}
    assert radii == {21.0, 19.8}
    tips = [math.dist(at, (21, 21)) for at in points(star)]
    assert max(tips) == pytest.approx(7.0)
    assert points(star)[0] == pytest.approx((21, 28)), "a tip stands upright"


def test_the_invoice_seal_has_the_measures_of_the_rule() -> None:
    """国家税务总局公告2011年第7号, annex."""
    drawn = seal(OVAL, NAMES["usual"], **FULL[OVAL])
    assert (drawn.width, drawn.height) == (40, 30)
    by_text = {}
    for shape in letters(drawn):
        by_text.setdefault(shape.text, shape)
    code = [by_text[digit] for digit in "91330108MAD4K7R20G"]
    left, bottom, right, top = spread(code)
    assert 24 < right - left <= 26
    assert top - bottom == pytest.approx(3.7, abs=0.2)
    assert (top + bottom) / 2 == pytest.approx(15, abs=0.1)
    _, low, _, high = spread([by_text[char] for char in "发票章"])
    assert high == pytest.approx(15 - 4.2, abs=0.35)
    assert high - low == pytest.approx(4.6, abs=0.5)


@pytest.mark.parametrize("count", [2, 3, 8, 21, 40])
@pytest.mark.parametrize("kind", [ROUND, OVAL])
def test_the_name_lies_evenly_to_both_sides(kind: SealKind, count: int) -> None:
    drawn = seal(kind, "田" * count)
    left, _, right, top = spread(letters(drawn))
    assert left + right == pytest.approx(drawn.width, abs=0.25), "within what 田 itself leans"
    assert top < drawn.height - 1


def test_letters_are_condensed_before_they_are_lowered() -> None:
    def box(count: int) -> tuple[float, float]:
        middle = letters(seal(ROUND, "田" * count))[count // 2]
        left, bottom, right, top = spread([middle])
        return right - left, top - bottom

    few, more, many = box(7), box(15), box(39)
    assert more[1] == pytest.approx(few[1], abs=0.15), "as high"
    assert more[0] < 0.85 * few[0], "but narrower"
    assert many[0] < 0.6 * more[0]
    assert many[1] > 0.5 * few[1]


def test_letters_of_the_arc_stand_upright_to_the_middle() -> None:
    found = letters(seal(ROUND, "甲" * 9))
    assert len(found) == 9
    for shape in found:
        cloud = points(shape)
        # The stem of 甲 reaches down: the letter's far end from the middle is its head, wide; its near end is narrow.
        ordered = sorted(cloud, key=lambda at: math.dist(at, (21, 21)))
        foot, head = ordered[:2], ordered[-4:]
        assert math.dist(*foot) < 1.0
        assert max(math.dist(one, other) for one, other in combinations(head, 2)) > math.dist(*foot)


def test_the_seat_on_the_lower_arc_reads_from_left_to_right() -> None:
    drawn = seal(RUSSIAN, "ИП Ли", title="Тверь")
    seat = [spread([shape]) for shape in letters(drawn)[4:9]]
    assert [shape.text for shape in letters(drawn)[4:9]] == list("Тверь")
    assert [left for left, *_ in seat] == sorted(left for left, *_ in seat)
    assert all(top < 10 for *_, top in seat)


def test_a_long_russian_name_takes_two_rings() -> None:
    def reach(name: str) -> float:
        """How far apart, seen from the middle, the innermost and the outermost letter of the name begin."""
        drawn = seal(RUSSIAN, name)
        count = len(name.replace(" ", ""))
        radii = [min(math.dist(at, (20, 20)) for at in points(shape)) for shape in letters(drawn)[:count]]
        return max(radii) - min(radii)

    assert reach("ОАО СЕВЕР") < 1
    assert 2 < reach(LONG_RUSSIAN.upper()) < 5


def test_letters_of_a_russian_stamp_have_a_least_height() -> None:
    for name in (LONG_RUSSIAN, "ООО «Кедр»"):
        drawn = seal(RUSSIAN, name, **FULL[RUSSIAN])
        for shape in letters(drawn):
            if shape.text in "ОДН0":
                cloud = points(shape)
                assert max(math.dist(one, other) for one in cloud for other in cloud) > 1.35


def test_rings_that_leave_too_little_in_the_middle_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No text that was found reaches the limit, so the limit is moved."""
    assert seal(RUSSIAN, LONG_RUSSIAN, **FULL[RUSSIAN])
    monkeypatch.setattr("signer.seals.drawing.russian.LEAST_MIDDLE", 10.0)
    with pytest.raises(AppearanceError, match="the text of the rings does not fit"):
        seal(RUSSIAN, LONG_RUSSIAN, **FULL[RUSSIAN])


def test_the_middle_of_a_stamp_is_what_the_name_has_in_quotation_marks() -> None:
    shown = "".join(shape.text for shape in letters(seal(RUSSIAN, "ООО «Кедр-Автоматика»")))
    assert shown == "ООО«Кедр-Автоматика»" + "«Кедр-Автоматика»"


@pytest.mark.parametrize(
    ("count", "shares"), [(1, (1,)), (2, (1, 1)), (3, (1, 2)), (4, (2, 2)), (5, (2, 3)), (8, (2, 3, 3)), (16, (4,) * 4)]
)
def test_a_square_has_columns_from_the_right(count: int, shares: tuple[int, ...]) -> None:
    assert columns(count) == shares
    drawn = seal(SQUARE, "田" * count)
    middles = [((a + c) / 2, (b + d) / 2) for a, b, c, d in (spread([shape]) for shape in letters(drawn))]
    first = middles[: shares[0]]
    assert all(x >= max(x for x, _ in middles) - 0.01 for x, _ in first), "the first letters stand on the right"
    assert [y for _, y in first] == sorted((y for _, y in first), reverse=True), "and are read downwards"


@pytest.mark.parametrize("kind", SealKind)
def test_the_same_description_gives_the_same_outlines(kind: SealKind) -> None:
    assert seal(kind, "王小明", **FULL[kind]).svg() == seal(kind, "王小明", **FULL[kind]).svg()
    assert seal(kind, "王小明").shapes != seal(kind, "王小朋").shapes


@pytest.mark.parametrize("kind", SealKind)
def test_a_seal_grows_as_a_whole(kind: SealKind) -> None:
    usual = seal(kind, "王小明", **FULL[kind])
    double = seal(kind, "王小明", width=usual.width * 1.5, **FULL[kind])
    assert double.height == pytest.approx(usual.height * 1.5)
    for one, other in zip(usual.shapes, double.shapes, strict=True):
        assert [value * 1.5 for value in spread([one])] == pytest.approx(spread([other]), abs=0.05)


@pytest.mark.parametrize("what", ["name", "title", "code", "lines"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "\u3000",
        "上海\n公司",
        "a\x00b",
        "ООО\u202eкраб",
        "a\u200bb",
        "\ufeff公司",
        "\ud800",
        "\ue000",
        "x" * 10_000,
    ],
    ids=ascii,
)
def test_hostile_text_is_refused(what: str, text: str) -> None:
    fields: dict[str, object] = {"name": "公司", what: (text,) if what == "lines" else text}
    with pytest.raises(AppearanceError) as caught:
        SealDrawing(kind=ROUND, **fields)
    assert caught.value.hint
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("kind", SealKind)
@pytest.mark.parametrize(
    "name", ["שלום", "公司😀", "田" * 119, "W" * 119, "Ж" * 119, "e" + "\u0301" * 40, "a" + "\u0301" * 25]
)
def test_what_cannot_be_drawn_is_refused_and_never_cut(kind: SealKind, name: str) -> None:
    try:
        drawn = seal(kind, name)
    except AppearanceError:
        return
    assert name in "".join(shape.text for shape in letters(drawn))


def test_a_character_that_no_font_has_is_named() -> None:
    with pytest.raises(AppearanceError, match=r"U\+30000"):
        seal(ROUND, "上海\U00030000公司")


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": ROUND, "lines": ("a", "b")},
        {"kind": OVAL, "lines": ("a", "b")},
        {"kind": SQUARE, "code": "1"},
        {"kind": SQUARE, "name": "田" * 17},
        {"kind": ROUND, "title": "田" * 30},
        {"kind": ROUND, "code": "1" * 60},
        {"kind": OVAL, "code": "1" * 60},
        {"kind": RUSSIAN, "code": "1" * 110},
        {"kind": RUSSIAN, "title": "г. " + "о" * 60},
        {"kind": RUSSIAN, "lines": ("Для документов отдела кадров",)},
        {"kind": BLOCK, "lines": ("x" * 110,) * 6},
    ],
    ids=lambda fields: "-".join(map(str, fields))[:40],
)
def test_what_has_no_room_is_refused_with_a_hint(fields: dict[str, object]) -> None:
    with pytest.raises(AppearanceError, match="does not fit") as caught:
        draw(SealDrawing(**{"name": "公司"} | fields))
    assert caught.value.hint


@pytest.mark.parametrize(
    "fields",
    [
        {"width": 0},
        {"width": -42},
        {"width": 1e9},
        {"width": math.nan},
        {"width": math.inf},
        {"height": 30},
        {"width": 42, "height": 30},
        {"colour": (2.0, 0, 0)},
        {"colour": (math.nan, 0, 0)},
        {"lines": ("a",) * 7},
    ],
    ids=str,
)
def test_sizes_and_colours_out_of_bounds_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(AppearanceError):
        SealDrawing(kind=ROUND, name="公司", **fields)


@pytest.mark.parametrize("text", ["", "red", "#12345", "#1234567", "##123456", "#12345g", "＃c41e22"])
def test_a_colour_is_six_hexadecimal_digits(text: str) -> None:
    assert parse_colour("#c41e22") == parse_colour("C41E22") == (196 / 255, 30 / 255, 34 / 255)
    with pytest.raises(AppearanceError):
        parse_colour(text)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SealKind), st.text(max_size=30), st.none() | st.text(max_size=12))
def test_any_text_is_drawn_whole_or_refused(kind: SealKind, name: str, title: str | None) -> None:
    try:
        drawn = seal(kind, name, title=title)
    except AppearanceError:
        return
    check(drawn)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SealKind), st.text("一田繁（）·Wil.ЖщÅ", min_size=1, max_size=40), st.booleans())
def test_letters_of_all_widths_keep_apart(kind: SealKind, name: str, full: bool) -> None:
    try:
        drawn = seal(kind, name, **FULL[kind] if full else {})
    except AppearanceError:
        assert len(name) > (14 if kind is SQUARE else 20)
        return
    check(drawn)
