"""What outlives the program: the numbers that stand for words, and which keys can be used.

Not here: chains (``test_frames.py``).
"""

from pathlib import Path

import pytest

from traces.checksums import KEY_VARIABLE, KeyUnusable, find_key, load_key, number_of


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


# --- a key's text, its length, its absence -------------------------------------------------------


def key_file(folder: Path, text: str) -> Path:
    """A key's file."""
    path = folder / "key"
    path.write_text(text, encoding="latin-1")
    return path


def unusable(path: Path) -> str:
    """What is said of a key that cannot be used."""
    with pytest.raises(KeyUnusable) as caught:
        load_key(path)
    return str(caught.value)


@pytest.mark.req("JNL-039")
@pytest.mark.parametrize("length", [32, 33, 64])
def test_a_key_of_32_to_64_bytes_is_read(tmp_path: Path, length: int) -> None:
    key = bytes(range(length))
    assert load_key(key_file(tmp_path, f"{key.hex()}\n")) == key


@pytest.mark.req("JNL-039")
@pytest.mark.parametrize("length", [0, 31, 65])
def test_a_key_of_another_length_is_refused(tmp_path: Path, length: int) -> None:
    path = key_file(tmp_path, "ab" * length)
    expected = f"{path}: a key of {length} bytes; expected 32 to 64 as hexadecimal"
    assert unusable(path) == expected


@pytest.mark.req("JNL-039")
def test_a_key_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    expected = "expected 64 to 128 hexadecimal digits"
    absent = tmp_path / "absent"
    assert unusable(absent) == f"{absent}: No such file or directory; {expected}"
    for text in ("xy" * 32, "\xe9" * 64):
        path = key_file(tmp_path, text)
        assert unusable(path) == f"{path}: not hexadecimal text; {expected}"


@pytest.mark.req("JNL-022", "JNL-039")
def test_a_key_is_named_by_path_or_by_the_environment_or_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = key_file(tmp_path, "ab" * 32)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert (find_key(path), find_key()) == (b"\xab" * 32, None)
    monkeypatch.setenv(KEY_VARIABLE, str(path))
    assert find_key() == b"\xab" * 32
    monkeypatch.setenv(KEY_VARIABLE, "")
    assert find_key() is None
