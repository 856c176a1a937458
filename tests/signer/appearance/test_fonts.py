"""The vendored fonts: what they cover, how they are built, and how text is shared out among them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from signer.appearance.fonts import DIRECTORY, FontSet
from signer.errors import AppearanceError

FILES = sorted(DIRECTORY.glob("*.ttf"))
ROOT = Path(__file__).parents[3]

# Characters of real names that common fonts lack; the last of each line is far out in its block.
RARE_NAMES = {
    "in the URO after 1993": "龦龨龬龺鿍鿏鿔鿫鿭鿬鿯",
    "Extension A": "㐀㑇㒓㛃㛚䎃䌹䏡䏲䓖䓨䗛䗪䗴䝙䞍䢺䢼䥽䦃䲟䲢䴓䴔䴕䴖䴗䴘䴙䶮䶵",
    "Extension B": "𠀀𠅤𠙶𠳐𡎚𡐓𣗋𣲗𣲘𣸣𤧛𤩽𤫉𥔲𥕢𥖨𥻗𦈡𦒍𦙶𦝼𦭜𦰡𧿹𨐈𨙸𨚕𨟠𨭉𨱇𨱏𨱑𨱔𨺙𩽾𩾃𩾌𪟝𪣻𪤗𪨰𪨶𪩘𪾢𪛖𠮷𠂢𡋾𪚥",
    "Extension C": "𪜀𪟝𪨰𪩘𪾢𫄧𫄨𫄷𫄸𫇭𫌀𫍣𫍯𫍲𫍽𫐄𫐐𫐓𫑡𫓧𫓯𫓶𫓹𫔍𫔎𫔶𫖮𫖯𫖳𫗧𫗴𫘜𫘝𫘦𫘧𫘨𫘪𫘬𫚕𫚖𫚭𫛭𫜴",
    "Extension D": "𫝀𫞩𫟅𫟦𫟹𫟼𫠆𫠊𫠜𫠝",
    "Extension E": (
        "𫠠𫢸𫫇𫭟𫭢𫭼𫮃𫰛𫵷𫶇𫷷𫸩𬀩𬀪𬂩𬃊𬇕𬇙𬇹𬉼𬊈𬊤𬌗𬍛𬍡𬍤𬒈𬒔𬒗𬕂𬘓𬘘𬘡𬘩𬘫𬘬𬘭𬘯𬙂𬙊𬙋𬜬𬜯𬞟𬟁𬟽𬣙𬣞"
        "𬣡𬣳𬤇𬤊𬤝𬨂𬨎𬩽𬪩𬬩𬬭𬬮𬬱𬬸𬬹𬬻𬬿𬭁𬭊𬭎𬭚𬭛𬭤𬭩𬭬𬭯𬭳𬭶𬭸𬭼𬮱𬮿𬯀𬯎𬱖𬱟𬳵𬳶𬳽𬳿𬴂𬴃𬴊𬶋𬶍𬶏𬶐𬶟"
        "𬶠𬶨𬶭𬶮𬷕𬸘𬸚𬸣𬸦𬸪𬹼𬺈𬺓𬺡"
    ),
    "Extension F": "𬺰𬻇𭕄𭸃𮊿𮯠",
    "compatibility ideographs": "﨎﨏﨑﨓﨔﨟﨡﨣﨤﨧﨨﨩凞益令𠔜𧃒𪘀",
}


@pytest.mark.parametrize("block", RARE_NAMES)
def test_every_rare_hanzi_of_the_list_has_a_glyph(block):
    assert FontSet.default().missing(RARE_NAMES[block]) == ()


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        (0x3400, 0x4DB5, "Extension A"),
        (0x4E00, 0x9FEF, "URO"),
        (0x20000, 0x2A6D6, "Extension B"),
        (0x2A700, 0x2B734, "Extension C"),
        (0x2B740, 0x2B81D, "Extension D"),
        (0x2B820, 0x2CEA1, "Extension E"),
        (0x2CEB0, 0x2EBE0, "Extension F"),
    ],
)
def test_the_han_blocks_up_to_unicode_11_are_complete(first, last, name):
    """GB 18030-2022 needs them at its highest level of implementation."""
    faces = FontSet.default().regular
    assert [hex(code) for code in range(first, last + 1) if not any(face.glyph(chr(code)) for face in faces)] == []


@pytest.mark.parametrize(
    "text",
    [
        "".join(map(chr, range(0x20, 0x7F))),
        "".join(map(chr, range(0xA1, 0x180))).replace("\xad", ""),
        "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "ӘәҒғҚқҢңӨөҰұҮүҺһІі ҐґЄєЇї ЎўЈјЉљЊњЋћЏџЂђ ӣӯҷҳ",
        "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩάέήίόύώςϊΰ",
        "₽¥€£₸₴№§©®™«»„“”‘’–—…·•°±×÷−½¼¾←→",
        "，。、；：？！（）《》〈〉「」『』【】—…～￥％＃０１ＡＺ〇",
        "ひらがな カタカナ 한국어 홍길동",
    ],
)
def test_the_alphabets_of_the_parties_are_covered(text):
    assert FontSet.default().missing(text) == ()
    assert FontSet.default().shape(text, bold=True).width > 0


@pytest.mark.parametrize("char", ["\U00030000", "\U00031350", "ש", "ا", "ก", "😀", "\ue000", "\uffff"])
def test_a_character_that_no_font_has_is_refused_by_name(char):
    with pytest.raises(AppearanceError, match=f"U\\+{ord(char):04X}") as caught:
        FontSet.default().shape(f"before {char} after")
    assert caught.value.code == "appearance-error"
    assert caught.value.hint


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_vendored_font_is_truetype_and_may_be_embedded(path):
    with TTFont(path, lazy=True) as font:
        assert {"glyf", "loca", "cmap", "head", "hhea", "hmtx", "maxp", "name", "OS/2", "post"} <= set(font.keys())
        assert not {"CFF ", "fpgm", "prep", "cvt ", "DSIG"} & set(font.keys())
        assert font["OS/2"].fsType == 0
        assert font["name"].getDebugName(6) == path.stem
        assert font["name"].getDebugName(0)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_vendored_font_has_its_licence_beside_it(path):
    licence = path.with_name(path.stem.split("-")[0] + "-LICENSE.txt").read_text("utf-8")
    assert path.name in licence.splitlines()[0]
    assert re.search(
        r"SIL OPEN FONT LICENSE Version 1\.1|Unlimited permission is granted to use, copy, and distribute", licence
    )


def test_no_licence_reserves_the_name_of_a_font_here():
    for path in FILES:
        with TTFont(path, lazy=True) as font:
            assert "Reserved Font Name" not in (font["name"].getDebugName(0) or "")
            assert not re.search("Hana|花園", f"{font['name'].getDebugName(1)} {font['name'].getDebugName(6)}")


def test_the_fonts_are_the_ones_the_document_describes():
    page = (ROOT / "docs" / "appearance.md").read_text("utf-8")
    for path in FILES:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in page, (
            f"{path.name}: run tools/fonts.py, then update docs"
        )
    assert sum(path.stat().st_size for path in FILES) < 57_000_000


def test_text_is_split_into_runs_by_script():
    runs = FontSet.default().cover("张𠮷伟 Ivan Иван𠀁")
    assert [(run.face.name, run.text) for run in runs] == [
        ("NotoSansSC-Regular", "张𠮷伟 "),
        ("NotoSans-Regular", "Ivan Иван"),
        ("SealroadHan-Regular", "𠀁"),
    ]


@pytest.mark.parametrize(
    ("text", "face"),
    [("说“好”", "NotoSansSC-Regular"), ("say “yes”", "NotoSans-Regular"), ("“好”", "NotoSansSC-Regular")],
)
def test_quotation_marks_take_the_width_of_their_neighbours(text, face):
    assert {run.face.name for run in FontSet.default().cover(text) if "“" in run.text} == {face}


def test_marks_stay_with_their_letter():
    line = FontSet.default().shape("x\u0301q\u0323\u0308")
    assert line.text == "x\u0301q\u0323\u0308"
    assert sum(1 for glyph in line.glyphs if glyph.text) == 2


def test_an_unsupported_variation_selector_does_not_hide_the_hanzi():
    line = FontSet.default().shape("葛\U000e0100城")
    assert line.text.startswith("葛")
    assert line.width == pytest.approx(2000)


def test_shaping_does_not_depend_on_the_language_of_the_process(monkeypatch):
    monkeypatch.setenv("LANG", "tr_TR.UTF-8")
    fonts = FontSet.default()
    assert fonts.shape("fi Iiİı ﬁ").glyphs == fonts.shape("fi Iiİı ﬁ").glyphs
    assert fonts.shape("office").text == "office"
    assert len(fonts.shape("office").glyphs) == 6, "no ligatures: each letter stays one glyph"
