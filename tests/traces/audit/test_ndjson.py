"""The journal as lines: nothing is lost, and a changed line is as broken as a changed byte."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from kernel.constants import Profile
from kernel.events import RequestOrder
from kernel.step import step
from tests.traces.making import close_record, header_record, journal_of
from tests.traces.samples import KEY, header_of, sample, write
from traces.audit import ndjson
from traces.audit.ndjson import LINE_BYTES_MAX, NDJSON_SUFFIX, lines_of, opened
from traces.frames import Fault, Finding, JournalCorrupt, scan


def bytes_of_lines(found: list[bytes]) -> bytes:
    """The binary journal that these lines spell."""
    return ndjson.bytes_of_lines(io.BytesIO(b"".join(found)))


def lines(path: Path) -> list[bytes]:
    """A journal's lines, their ends included."""
    return [line.encode() + b"\n" for line in lines_of(path.read_bytes())]


@pytest.mark.req("JNL-033")
@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "anchored"])
@pytest.mark.parametrize("profile", list(Profile))
def test_there_and_back_is_the_same_journal(
    tmp_path: Path, profile: Profile, key: bytes | None, seed: int
) -> None:
    path = sample(tmp_path / "a.journal", seed, 400, profile, key, chaos=0.3)
    assert bytes_of_lines(lines(path)) == path.read_bytes()


@pytest.mark.req("JNL-033")
def test_numbers_beyond_53_bits_are_text(tmp_path: Path) -> None:
    header = header_of()
    state = header.opening_state()
    event = RequestOrder(
        worker=0, instrument=1, side=1, reduce_only=False, market=True,
        quantity=2**60, limit_price=-(2**80), leverage_ppm=2**53,
    )  # fmt: skip
    path = write(tmp_path / "a", header, [(state, event, step(state, event))])
    text = lines(path)[1].decode()
    assert json.loads(text)["fields"]["quantity"] == str(2**60)
    assert json.loads(text)["fields"]["leverage_ppm"] == 2**53
    assert bytes_of_lines(lines(path)) == path.read_bytes()


@pytest.mark.req("JNL-033")
def test_every_line_is_an_object_that_names_its_record(tmp_path: Path) -> None:
    path = sample(tmp_path / "a.journal", 4, 300, key=KEY)
    data = [json.loads(line) for line in lines(path)]
    assert [one["seq"] for one in data] == list(range(len(data)))
    assert {one["record"] for one in data} == {"header", "event", "anchor", "close"}


@pytest.mark.req("JNL-034")
def test_a_changed_value_is_damage(tmp_path: Path) -> None:
    path = sample(tmp_path / "a.journal", 4, 100)
    found = lines(path)
    other = "MALFORMED" if json.loads(found[20])["outcome"] != "MALFORMED" else "ok"
    found[20] = re.sub(rb'"outcome":"[^"]*"', b'"outcome":"%s"' % other.encode(), found[20])
    with pytest.raises(JournalCorrupt) as caught:
        list(scan(bytes_of_lines(found)))
    assert (caught.value.finding.fault, caught.value.finding.record) == (Fault.DAMAGED, 20)


@pytest.mark.req("JNL-034")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"nonsense", "line 3"),
        (b"[]", "line 3"),
        (b'{"seq": 2}', "no field 'record'"),
        (b'{"seq":2,"record":"song","chain":"","crc":""}', "no record is named"),
        (b'{"seq":2,"record":"event","event":"Sing","outcome":"ok"}', "no event is named"),
        (b"\xff\xfe", "line 3"),
    ],
)
def test_a_line_that_is_no_record_names_itself(tmp_path: Path, line: bytes, words: str) -> None:
    found = lines(sample(tmp_path / "a.journal", 4, 10))
    found[2] = line + b"\n"
    with pytest.raises(JournalCorrupt, match=r"line 3") as caught:
        bytes_of_lines(found)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def again(line: bytes) -> bytes:
    """The same values in JSON's usual spelling, with spaces."""
    return json.dumps(json.loads(line)).encode() + b"\n"


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """A change of a line that must find its place."""

    def change(line: bytes) -> bytes:
        assert old in line
        return line.replace(old, new, 1)

    return change


# What a person, a tool that takes the first of two names, or one that skips what it does not know
# would read in these lines is not what the checksum is over.
REJECTED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "two of a name": (replaced(b'"fields":', b'"fields":{},"fields":'), "'fields' stands twice"),
    "two of a name within": (replaced(b'"partition":3', b'"a":1,"a":3'), "'a' stands twice"),
    "a field more": (replaced(b'{"seq"', b'{"comment":"","seq"'), "'comment' is no field"),
    "a field more within": (replaced(b'"fields":{', b'"fields":{"desk":1,'), "desk"),
    "another order": (
        lambda line: b'{"record":"event",' + replaced(b'"record":"event",', b"")(line)[1:],
        "at byte 3",
    ),
    "spaces": (again, "at byte 8"),
    "CRLF": (replaced(b"\n", b"\r\n"), r"'\\r\\n' at byte"),
    "a byte order mark": (lambda line: b"\xef\xbb\xbf" + line, ""),
    "a number with a fraction": (replaced(b'"seq":5', b'"seq":5.0'), "5.0 where an integer"),
    "a number with an exponent": (replaced(b'"seq":5', b'"seq":5e0'), "5.0 where an integer"),
    "a number as text": (replaced(b'"seq":5', b'"seq":"5"'), "at byte 8"),
    "other digits": (replaced(b'"seq":5', '"seq":"\u0665"'.encode()), "at byte 8"),
    "a zero before": (replaced(b'"seq":5', b'"seq":05'), "not JSON"),
    "an escape": (replaced(b'"seq"', b'"\\u0073eq"'), "at byte 3"),
    "capitals": (lambda line: line.replace(line[-10:-3], line[-10:-3].upper()), "at byte"),
    "no number": (replaced(b'"seq":5', b'"seq":NaN'), "nan where an integer"),
    "true for one": (replaced(b'"seq":5', b'"seq":true'), "True where an integer"),
    "too deep": (lambda line: b"[" * 100_000 + b"\n", "nested too deeply"),
    "too long": (lambda line: b" " * (LINE_BYTES_MAX + 2) + b"\n", "longer than any record"),
    "an empty line": (lambda line: b"\n" + line, "not JSON"),
    "no end": (lambda line: line.rstrip(), "not JSON"),
    "half a code": (replaced(b'"seq":5', b'"seq":"\\ud800"'), "where an integer"),
}


@pytest.mark.req("JNL-034")
@pytest.mark.parametrize("name", REJECTED)
def test_a_line_in_another_spelling_is_refused_by_name(tmp_path: Path, name: str) -> None:
    change, words = REJECTED[name]
    found = lines(sample(tmp_path / "a.journal", 4, 10))
    found[5] = change(found[5])
    with pytest.raises(JournalCorrupt, match=r"^line 6: ") as caught:
        bytes_of_lines(found)
    assert re.search(words, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.finding.fault == Fault.FORM


@pytest.mark.req("JNL-034")
def test_a_last_line_without_its_end_was_cut_off(tmp_path: Path) -> None:
    found = lines(sample(tmp_path / "a.journal", 4, 10))
    found[-1] = found[-1][:-1]
    with pytest.raises(JournalCorrupt, match=rf"^line {len(found)}: its end is missing"):
        bytes_of_lines(found)


@pytest.mark.req("JNL-033")
def test_a_forged_body_can_still_be_looked_at(tmp_path: Path) -> None:
    from traces.frames import Tag, first_chain, frame, prefix

    start = prefix()
    whole, _ = frame(0, Tag.EVENT, b"\x63junk", first_chain(start))
    (line,) = lines_of(start + whole)
    assert json.loads(line)["record"] == "unknown"
    assert bytes_of_lines([line.encode() + b"\n"]) == start + whole


@pytest.mark.req("JNL-033")
def test_the_suffix_chooses_the_form(tmp_path: Path) -> None:
    path = sample(tmp_path / "a.journal", 4, 50)
    other = tmp_path / "a.ndjson"
    other.write_bytes(b"".join(lines(path)))
    with opened(path) as binary, opened(other) as text:
        assert binary[:] == text[:]


@pytest.mark.req("JNL-007")
def test_no_lines_are_an_empty_file() -> None:
    with pytest.raises(JournalCorrupt) as caught:
        bytes_of_lines([])
    assert caught.value.finding.fault == Fault.EMPTY


@pytest.mark.req("JNL-033")
def test_a_file_is_read_as_lines_where_its_name_says_so(tmp_path: Path) -> None:
    data = journal_of(header_record(), close_record(0, 0))
    lines = "".join(f"{line}\n" for line in lines_of(data)).encode()
    assert NDJSON_SUFFIX == ".ndjson"
    (tmp_path / "a.ndjson").write_bytes(lines)
    with opened(tmp_path / "a.ndjson") as found:
        assert found == data
    for name, content in (("a.journal", data), ("b", data), ("b.NDJSON", lines)):
        (tmp_path / name).write_bytes(content)
        with opened(tmp_path / name) as found:
            assert found[:] == content


@pytest.mark.req("JNL-040")
def test_lines_that_cannot_be_read_are_a_fault_of_their_own(tmp_path: Path) -> None:
    absent, folder = tmp_path / "absent.ndjson", tmp_path / "folder.ndjson"
    folder.mkdir()
    for path, reason in ((absent, "No such file or directory"), (folder, "Is a directory")):
        with pytest.raises(JournalCorrupt) as caught, opened(path):
            raise AssertionError("it was opened")
        found = Finding(Fault.UNREADABLE, -1, 0, f"cannot be read: {reason}")
        assert caught.value.finding == found
