"""What outlives the program: the numbers that stand for words, and where a key is looked for.

Not here: a key's length or absence (``test_machine_decisions.py``), chains (``test_frames.py``).
"""

from pathlib import Path

import pytest

from traces.checksums import KeyUnusable, find_key, load_key, number_of


@pytest.mark.req("JNL-023")
@pytest.mark.parametrize(
    ("words", "most", "number"),
    [
        ("alice", 1, 1),
        ("alice", 65_535, 44_152),
        ("alice", 2**63 - 1, 2_681_447_640_983_859_247),
        ("drill", 2**63 - 1, 62_782_105_740_134_208),
        ("", 2**63 - 1, 68_038_459_727_700_433),
        ("Zürich", 65_535, 23_321),
    ],
)
def test_number_of_gives_the_same_words_the_same_number_for_good(
    words: str, most: int, number: int
) -> None:
    assert number_of(words, most) == number


@pytest.mark.req("JNL-022", "JNL-039")
def test_find_key_asks_the_environment_by_its_documented_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.write_text("ab" * 32, encoding="ascii")
    monkeypatch.setenv("DOLPHIN_ANCHOR_KEY", str(path))
    assert find_key() == b"\xab" * 32


@pytest.mark.req("JNL-039")
def test_load_key_takes_no_blank_that_is_not_ascii(tmp_path: Path) -> None:
    """A no-break space is a blank to Unicode and no part of hexadecimal text."""
    path = tmp_path / "key"
    path.write_bytes(b"ab" * 32 + "\u00a0\n".encode())
    with pytest.raises(KeyUnusable) as caught:
        load_key(path)
    reason = "not hexadecimal text; expected 64 to 128 hexadecimal digits"
    assert str(caught.value) == f"{path}: {reason}"
