"""Files that have no name before they count."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from certs import files


@pytest.mark.parametrize("fall_back", [False, True])
def test_a_file_without_a_name_gets_it_at_once_or_never(
    fall_back: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fall_back:
        monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY | os.O_CREAT, raising=False)  # what old systems make of it
    target = tmp_path / ("合同" * (20 if fall_back else 41) + ".pdf")
    target.write_bytes(b"before")
    for number in range(2):
        file = files.nameless(target)
        assert isinstance(file, files.WholeFile) or not fall_back
        file.write(b"after %d" % number)
        assert target.read_bytes() == (b"before" if not number else b"after 0")
        file.commit()
        file.discard()  # nothing, after commit
        assert target.read_bytes() == b"after %d" % number
    assert target.stat().st_mode & 0o777 == 0o600
    file = files.nameless(target)
    file.write(b"never")
    file.discard()
    assert target.read_bytes() == b"after 1"
    assert [item.name for item in tmp_path.iterdir()] == [target.name]


def test_a_name_that_cannot_be_given_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    file = files.nameless(tmp_path / "taken")
    file.write(b"x")
    with pytest.raises(OSError, match="taken"):
        file.commit()
    file.discard()
    assert [item.name for item in tmp_path.iterdir()] == ["taken"]
    with pytest.raises(OSError, match="missing"):
        files.nameless(tmp_path / "missing" / "file")
