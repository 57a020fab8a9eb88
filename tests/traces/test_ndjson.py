"""The journal as lines: nothing is lost, and a changed line is as broken as a changed byte."""

import json
from pathlib import Path

import pytest

from kernel.constants import Profile
from kernel.events import RequestOrder
from kernel.step import step
from tests.traces.samples import KEY, header_of, sample, write
from traces.frames import Broken, Fault, scan
from traces.ndjson import bytes_of_lines, lines_of
from traces.reader import opened


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
    data = json.loads(found[20])
    data["outcome"] = "MALFORMED" if data["outcome"] != "MALFORMED" else "ok"
    found[20] = json.dumps(data).encode()
    with pytest.raises(Broken) as caught:
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
    found[2] = line
    with pytest.raises(Broken, match=r"line 3") as caught:
        bytes_of_lines(found)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.req("JNL-033")
def test_a_forged_body_can_still_be_looked_at(tmp_path: Path) -> None:
    from traces.frames import Tag, first_chain, frame, prefix

    start = prefix()
    whole, _ = frame(0, Tag.EVENT, b"\x63junk", first_chain(start))
    (line,) = lines_of(start + whole)
    assert json.loads(line)["record"] == "unknown"
    assert bytes_of_lines([line.encode()]) == start + whole


@pytest.mark.req("JNL-033")
def test_the_suffix_chooses_the_form(tmp_path: Path) -> None:
    path = sample(tmp_path / "a.journal", 4, 50)
    other = tmp_path / "a.ndjson"
    other.write_bytes(b"".join(lines(path)))
    with opened(path) as binary, opened(other) as text:
        assert binary[:] == text[:]


@pytest.mark.req("JNL-007")
def test_no_lines_are_an_empty_file() -> None:
    with pytest.raises(Broken) as caught:
        bytes_of_lines([])
    assert caught.value.finding.fault == Fault.EMPTY
