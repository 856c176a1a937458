"""Stamps: what they say, that they fit, and that nothing in a name can break them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.appearance import ColourMode, Drawing, StampSpec, algorithm_label, render
from signer.appearance.colour import srgb_profile
from signer.appearance.words import LOCALES, WORDS, moment
from signer.errors import AppearanceError
from tests.conftest import ALL_SUITES
from tests.signer.appearance.reading import lines_of
from tests.signer.appearance.test_picture import picture

WHEN = datetime(2026, 11, 21, 18, 0, 5, tzinfo=timezone(timedelta(hours=8)))

FULL = {
    "zh": StampSpec(
        name="张𠮷䶮",
        organisation="杭州远航国际贸易有限公司",
        role="总经理",
        time=WHEN,
        locale="zh",
        reason="签署采购合同",
        location="杭州",
        serial="5A3F 90C2",
        algorithm="SM2 / SM3",
        family="cn",
    ),
    "ru": StampSpec(
        name="Иванова Анна Петровна",
        organisation="ООО «Вектор»",
        role="Директор",
        time=WHEN,
        reason="Договор № 7",
        location="Москва",
        serial="01D9 4C7F",
        locale="ru",
        family="ru",
        algorithm="ГОСТ Р 34.10-2012 (256)",
        valid_from=WHEN,
        valid_to=WHEN + timedelta(days=365),
    ),
    "en": StampSpec(
        name="Aigerim Ábenova",
        organisation="Steppe Freight LLP",
        role="Director",
        time=WHEN,
        reason="Contract 7",
        location="Almaty",
        serial="2F00 91AC",
        algorithm="ECDSA P-256",
    ),
}


def said(drawing: Drawing) -> str:
    return "\n".join(lines_of(drawing.content, drawing.fonts))


def resized(spec: StampSpec, width: float, height: float, **changes: object) -> StampSpec:
    return StampSpec(**{**vars(spec), "width": width, "height": height, **changes})


@pytest.mark.parametrize("locale", LOCALES)
def test_a_stamp_says_everything_it_was_given_in_its_language(locale):
    spec = FULL[locale]
    text = said(render(spec))
    for value in (spec.name, spec.organisation, spec.role, spec.reason, spec.location, spec.serial, spec.algorithm):
        assert value in text
    assert moment(WHEN, locale) in text
    assert WORDS[locale]["title"] in text


def test_the_time_is_shown_with_its_zone():
    assert moment(WHEN, "en") == "21 Nov 2026, 18:00:05 UTC+8"
    assert moment(WHEN, "zh-CN") == "2026年11月21日 18:00:05 UTC+8"
    assert moment(WHEN, "ru_RU") == "21.11.2026 18:00:05 UTC+8"
    assert moment(WHEN.astimezone(UTC), "en").endswith("10:00:05 UTC")
    assert moment(WHEN.astimezone(timezone(timedelta(hours=-3, minutes=-30))), "en").endswith("UTC−3:30")


def test_the_russian_stamp_has_what_the_standard_asks_for():
    """GOST R 7.0.97-2016, 5.23: the phrase, the certificate's number, its owner, its validity."""
    text = said(render(FULL["ru"]))
    for part in (
        "Документ подписан электронной подписью",
        "01D9 4C7F",
        "Иванова Анна Петровна",
        "с 21.11.2026 по 21.11.2027",
    ):
        assert part in text


@pytest.mark.parametrize("suite", ALL_SUITES)
def test_every_suite_has_a_name_for_people(suite):
    assert algorithm_label(suite) != suite
    assert algorithm_label(suite, "ru") in said(
        render(resized(FULL["ru"], 230, 92, algorithm=algorithm_label(suite, "ru")))
    )


SIZES = [
    (230, 92),
    (120, 40),
    (60, 20),
    (30, 10),
    (8, 8),
    (1, 1),
    (100, 140),
    (300, 150),
    (420, 60),
    (90, 90),
    (14400, 3),
]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("with_picture", [False, True])
@pytest.mark.parametrize("locale", LOCALES)
def test_the_text_stays_inside_the_box_at_every_size(locale, size, with_picture):
    spec = resized(FULL[locale], *size, picture=picture() if with_picture else None)
    drawing = render(spec)
    for x, y, font_size, width in placed(drawing):
        assert x >= 0
        assert y >= -0.3 * font_size
        assert y + 0.8 * font_size <= size[1] + 0.3 * font_size
        assert x + width <= size[0] + 1 or size[0] < 12


def placed(drawing: Drawing) -> list[tuple[float, float, float, float]]:
    """Return position, font size and width in points of each stretch of text."""
    pdf = pikepdf.new()
    pdf.add_blank_page()
    pdf.pages[0].Contents = pdf.make_stream(drawing.content)
    widths = {f"/{font.name}": font.widths for font in drawing.fonts}
    found = []
    face, size, x, y = (), 0.0, 0.0, 0.0
    for operands, operator in pikepdf.parse_content_stream(pdf.pages[0]):
        if str(operator) == "Tf":
            face, size = widths[str(operands[0])], float(operands[1])
        elif str(operator) == "Tm":
            x, y = float(operands[4]), float(operands[5])
        elif str(operator) == "TJ":
            width = 0.0
            for item in operands[0]:
                if isinstance(item, pikepdf.String):
                    codes = bytes(item)
                    width += sum(face[codes[at] << 8 | codes[at + 1]] for at in range(0, len(codes), 2))
                else:
                    width -= float(item)
            found.append((x, y, size, width * size / 1000))
    return found


def test_the_name_is_the_last_thing_to_go():
    for width, height in ((230, 92), (120, 40), (60, 20), (40, 14)):
        assert "张𠮷䶮" in said(render(resized(FULL["zh"], width, height)))


def test_a_name_wraps_before_it_is_cut():
    spec = StampSpec(name="Иванова-Кузнецова Александра Константиновна", width=90, height=60, time=WHEN)
    text = said(render(spec))
    assert all(part in text for part in ("Иванова", "Кузнецова", "Александра", "Константиновна"))


def test_very_long_texts_end_in_an_ellipsis():
    text = said(render(StampSpec(name="W" * 3000, organisation="国际" * 3000, reason="long " * 3000)))
    assert "WWW" in text
    assert "…" in text


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (-5, 10), (math.nan, 10), (math.inf, 10), (20000, 10)])
def test_a_box_without_a_usable_size_is_refused(size):
    with pytest.raises(AppearanceError):
        render(resized(FULL["en"], *size))


@pytest.mark.parametrize("field", ["name", "organisation", "role", "reason", "location", "serial", "issuer", "title"])
def test_direction_overrides_and_line_breaks_never_reach_the_page(field):
    spec = resized(FULL["en"], 300, 150, **{field: "Alice\u202eecilA\nBob\u2066"})
    drawing = render(spec)
    assert "AliceecilA Bob" in said(drawing)
    assert not set("\u202e\u2066\n") & set(drawing.alternative)


def test_a_character_without_a_glyph_is_refused_by_name():
    with pytest.raises(AppearanceError, match=r"U\+05D0 HEBREW LETTER ALEF"):
        render(StampSpec(name="א"))


def test_the_same_stamp_is_drawn_with_the_same_bytes():
    first, second = render(FULL["zh"]), render(FULL["zh"])
    assert first == second


def test_the_alternative_text_says_who_and_when():
    assert render(FULL["en"]).alternative == (
        "Electronically signed by Aigerim Ábenova, Steppe Freight LLP, 21 Nov 2026, 18:00:05 UTC+8"
    )


def test_colours_need_no_output_intent():
    drawing = render(FULL["en"])
    assert b" rg" not in drawing.content
    assert b" RG" not in drawing.content
    assert drawing.form().entries["Resources"]["ColorSpace"]["CS0"][0] == "ICCBased"


@pytest.mark.parametrize("mode", [ColourMode.RGB, ColourMode.GRAY])
def test_device_colours_are_there_for_who_wants_them(mode):
    drawing = render(resized(FULL["en"], 230, 92, picture=picture()), mode=mode)
    assert b"/CS0" not in drawing.content
    assert "ColorSpace" not in drawing.form().entries["Resources"]
    assert drawing.images[0][1].components == (1 if mode is ColourMode.GRAY else 3)


@pytest.mark.parametrize("part", [None, 1, 2, 3, 4])
def test_archive_files_get_no_transparency_and_part_one_a_glyph_list(part):
    drawing = render(resized(FULL["en"], 230, 92, picture=picture()), pdfa_part=part)
    assert (drawing.images[0][1].mask is None) == (part is not None)
    descriptor = (
        drawing.form().entries["Resources"]["Font"]["F0"].entries["DescendantFonts"][0].entries["FontDescriptor"]
    )
    assert ("CIDSet" in descriptor.entries) == (part == 1)


def test_the_colour_profile_is_one_that_other_software_reads():
    import io

    from PIL import ImageCms

    profile = srgb_profile()
    assert len(profile) < 1000
    assert profile[8] == 2, "version 2, for PDF/A-1"
    ours = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    from PIL import Image

    swatch = Image.new("RGB", (1, 1), (200, 120, 40))
    same = ImageCms.profileToProfile(swatch, ours, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert all(abs(a - b) <= 1 for a, b in zip(same.getpixel((0, 0)), (200, 120, 40), strict=True))


anything = st.text(max_size=80)
letters = st.text(st.sampled_from("张𠮷䶮𠀁ИванАя AbcÉ é\u0301-.,“”（）\u202e\n\x00%()<>\\[]{}/"), max_size=120)


@settings(max_examples=150, deadline=None)
@given(
    name=anything | letters,
    organisation=st.none() | letters,
    reason=st.none() | anything,
    extra=st.lists(st.tuples(letters, letters), max_size=3),
    width=st.floats(1, 600),
    height=st.floats(1, 400),
    locale=st.sampled_from(["en", "zh", "ru", "", "xx"]),
)
def test_any_text_gives_a_drawing_or_the_one_error(name, organisation, reason, extra, width, height, locale):
    try:
        drawing = render(
            StampSpec(
                name=name,
                organisation=organisation,
                reason=reason,
                lines=tuple(extra),
                time=WHEN,
                width=width,
                height=height,
                locale=locale,
            )
        )
    except AppearanceError:
        return
    lines_of(drawing.content, drawing.fonts)


@pytest.mark.parametrize("name", ["", "  \n", "\u202e\u200b"])
def test_a_stamp_without_a_visible_name_is_refused(name):
    with pytest.raises(AppearanceError, match="needs a name"):
        render(StampSpec(name=name))


def test_a_label_without_a_visible_character_is_left_out():
    assert "value" in said(render(StampSpec(name="A", lines=((" \u202e", "value"),))))
