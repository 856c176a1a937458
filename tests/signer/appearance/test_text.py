"""Foreign text made harmless, and lines broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.appearance.fonts import FontSet
from signer.appearance.layout import break_lines, measure, wrap
from signer.appearance.text import ELLIPSIS, MAX_MARKS, clean, clusters
from signer.errors import AppearanceError


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("Ivan\u202efdp.exe", "Ivanfdp.exe"),
        ("a\u2066b\u2069c\u200fd\u061ce", "abcde"),
        ("line\r\nbreak\ttab\x00nul\x1besc", "line break tab nul esc"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("  too \u00a0\u2003 many   spaces ", "too many spaces"),
        ("zero\u200bwidth\ufeff\u00adjoin\u200d", "zerowidthjoin"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("张\u3000伟", "张\u3000伟"),
        ("\u202e\u200b", ""),
    ],
)
def test_what_would_change_how_the_rest_reads_is_removed(hostile, harmless):
    assert clean(hostile) == harmless


def test_half_of_a_surrogate_pair_is_refused():
    with pytest.raises(AppearanceError, match=r"U\+D842"):
        clean("\ud842")


def test_compatibility_ideographs_in_names_are_kept():
    assert clean("﨑神") == "﨑神"


def test_endless_text_and_endless_marks_are_cut():
    assert clean("x" * 5_000_000) == "x" * 1000 + ELLIPSIS
    assert len(clean("e" + "\u0301" * 900)) == 1 + MAX_MARKS


def test_clusters_keep_marks_and_selectors_together():
    assert clusters("e\u0301葛\U000e0100") == ["e\u0301", "葛\U000e0100"]


def test_words_stay_whole_and_hanzi_break_between_themselves():
    fonts = FontSet.default()
    assert [line.text for line in wrap("alpha beta gamma", 10, 60, fonts)] == ["alpha beta", "gamma"]
    assert [line.text for line in wrap("国际货物买卖", 10, 30, fonts)] == ["国际货", "物买卖"]


def test_closing_punctuation_does_not_begin_a_line_nor_opening_end_one():
    fonts = FontSet.default()
    for text in ("国际货物，买卖合同。国际", "国际货《物买卖》合同（国际）"):
        for width in range(20, 90, 7):
            lines = break_lines(measure(text, fonts), width * 100)
            assert "".join(lines) == text
            assert not any(line[0] in "，。》）" for line in lines)
            assert not any(line[-1] in "《（" for line in lines)


def test_a_percent_sign_stays_with_its_number():
    fonts = FontSet.default()
    number = fonts.shape("Late payment bears 0.05").width
    for width in (number, number + 300):
        assert break_lines(measure("Late payment bears 0.05 % a day", fonts), width)[1].startswith("0.05 %")


def test_a_long_word_is_cut_rather_than_drawn_over_the_edge():
    fonts = FontSet.default()
    lines = wrap("W" * 50, 10, 100, fonts)
    assert len(lines) > 1
    assert all(line.width * 10 / 1000 <= 100.1 for line in lines)


def test_the_last_line_ends_in_an_ellipsis_when_text_is_left_over():
    lines = break_lines(measure("one two three four five six", FontSet.default()), 5000, 2)
    assert len(lines) == 2
    assert lines[-1].endswith(ELLIPSIS)


@given(
    text=st.text(st.sampled_from("ab Яж,.-国际，（）“”é\u0301"), max_size=60),
    width=st.floats(100, 30000),
    last=st.none() | st.integers(1, 4),
)
def test_breaking_loses_only_spaces_and_never_exceeds_the_width(text, width, last):
    fonts = FontSet.default()
    text = clean(text)
    measured = measure(text, fonts)
    lines = break_lines(measured, width, last)
    if last is None or not (lines and lines[-1].endswith(ELLIPSIS)):
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    if last is not None:
        assert len(lines) <= last
    for line in lines:
        one_letter = len(clusters(line.removesuffix(ELLIPSIS))) <= 1
        # Kerning across a break may shift a line by a little.
        assert one_letter or fonts.shape(line).width <= width + 60
