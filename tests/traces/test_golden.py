"""Golden journals: the bytes of schema version 1, as they were first written.

A journal outlives the program that wrote it. What is pinned here must be read, byte for byte, by
every later dolphin of this schema version; a change of the format raises SCHEMA_VERSION and adds
a file beside these. ``python -m tests.traces.test_golden`` writes what is missing, never over one.
"""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from kernel.constants import Profile
from kernel.outcome import Accepted
from kernel.step import step
from tests.traces.samples import KEY, Step, header_of, walk, write
from traces.audit.ndjson import bytes_of_lines, lines_of
from traces.codec import unpack_record
from traces.frames import Tag, scan
from traces.header import Header, read_header
from traces.replay import Replay, advance

FOLDER = Path(__file__).parent / "golden"
NAMES = {"bible": (Profile.BIBLE, None), "specification-anchored": (Profile.SPECIFICATION, KEY)}


def golden_header(profile: Profile, key: bytes | None) -> Header:
    """A header that names no version of this program, so that its bytes do not move with it."""
    nothing = "0" * 32
    return replace(
        header_of(profile, key=key), version="golden", session="golden",
        kernel_hash=nothing, spec_hash=nothing, constants_hash=nothing,
    )  # fmt: skip


def steps_of(path: Path) -> list[Step]:
    """The events of a golden journal through today's kernel."""
    steps: list[Step] = []
    state = None
    for one in scan(path.read_bytes()):
        if one.tag == Tag.HEADER:
            state = read_header(one.body).opening_state()
        if one.tag == Tag.EVENT and state is not None:
            event = unpack_record(one.sequence, one.body).event
            outcome = step(state, event)
            steps.append((state, event, outcome))
            state = outcome.state if isinstance(outcome, Accepted) else state
    return steps


@pytest.mark.req("JNL-009")
@pytest.mark.parametrize("name", NAMES)
def test_golden_bytes_are_written_again(name: str, tmp_path: Path) -> None:
    profile, key = NAMES[name]
    golden = FOLDER / f"{name}.journal"
    again = write(tmp_path / "again", golden_header(profile, key), steps_of(golden), key)
    assert again.read_bytes() == golden.read_bytes()


@pytest.mark.req("JNL-032")
@pytest.mark.parametrize("name", NAMES)
def test_golden_bytes_replay(name: str) -> None:
    _, key = NAMES[name]
    replay = Replay()
    for one in scan((FOLDER / f"{name}.journal").read_bytes()):
        advance(replay, one, key)
    assert replay.divergence is None
    assert replay.closed
    assert replay.authentic is (None if key is None else True)
    assert replay.events > 500


@pytest.mark.req("JNL-033")
@pytest.mark.parametrize("name", NAMES)
def test_golden_lines_are_the_golden_bytes(name: str) -> None:
    data = (FOLDER / f"{name}.journal").read_bytes()
    lines = (FOLDER / f"{name}.ndjson").read_bytes()
    assert bytes_of_lines(io.BytesIO(lines)) == data
    assert "".join(f"{line}\n" for line in lines_of(data)).encode() == lines


def main() -> None:
    """Write the golden files that are missing."""
    FOLDER.mkdir(exist_ok=True)
    for name, (profile, key) in NAMES.items():
        path = FOLDER / f"{name}.journal"
        if path.exists():
            continue
        header = golden_header(profile, key)
        write(path, header, walk(8, 620, header.opening_state(), 0.1), key)
        text = "".join(f"{line}\n" for line in lines_of(path.read_bytes()))
        path.with_suffix(".ndjson").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
