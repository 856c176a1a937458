"""Numbers of types: open, with usual meanings that differ between 2014 and later."""

from __future__ import annotations

import pytest

from signer.errors import OptionError
from signer.seals import SealVersion
from signer.seals.kinds import EARLY_TYPES, SEAL_TYPES, number_of, word_of

V1, V4, V5 = SealVersion.V1, SealVersion.V4, SealVersion.V5


@pytest.mark.parametrize("version", [V4, V5])
@pytest.mark.parametrize("word", SEAL_TYPES)
def test_words_and_numbers_from_2020_on(word: str, version: SealVersion) -> None:
    assert word_of(number_of(word, version), version) == word


def test_the_numbers_under_which_seals_are_registered() -> None:
    words = ("legal-name", "finance", "invoice", "contract", "personal", "other")
    assert [number_of(word, V5) for word in words] == [1, 2, 3, 4, 5, 99]


def test_2014_knows_organisations_and_persons() -> None:
    assert [number_of(word, V1) for word in ("contract", "legal-name", "organisation", "personal")] == [1, 1, 1, 2]
    assert [word_of(number, V1) for number in (1, 2, 3)] == ["organisation", "personal", None]
    assert number_of("organisation", V4) == 1
    assert EARLY_TYPES["personal"] != SEAL_TYPES["personal"]


@pytest.mark.parametrize("version", list(SealVersion))
def test_any_other_number_is_taken_as_it_is(version: SealVersion) -> None:
    assert number_of("15", version) == 15
    assert word_of(15, version) is None


@pytest.mark.parametrize("word", ["", "round", "-1", "1.5", "１", "9" * 10])
def test_what_is_neither_word_nor_number(word: str) -> None:
    with pytest.raises(OptionError, match="no type of seal"):
        number_of(word, V5)
