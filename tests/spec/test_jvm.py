"""A JVM that runs one model after another says of each what a JVM of its own says."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from verify.models.jvm import Many, open_many
from verify.models.tlc import TlcRun, run_tlc

SAMPLE = Path(__file__).parent / "sample"


@pytest.fixture
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Many]:
    """A shared JVM; ended at the end."""
    found = open_many(tmp_path_factory.getbasetemp() / "java")
    if found is None:
        pytest.skip("no javac on this machine: every run has a JVM of its own")
    yield found
    found.close()


def lamp(folder: Path, most: int, guard: str = "count < Max") -> Path:
    """Write the sample with another bound and guard; return its folder."""
    folder.mkdir()
    text = (SAMPLE / "Lamp.tla").read_text().replace("count < Max", guard)
    (folder / "Lamp.tla").write_text(text)
    cfg = (SAMPLE / "Lamp.cfg").read_text().replace("Max = 2", f"Max = {most}")
    (folder / "Lamp.cfg").write_text(cfg)
    return folder


def run(folder: Path, many: Many | None = None) -> TlcRun:
    found = run_tlc(folder / "Lamp.tla", folder / "Lamp.cfg", coverage=True, many=many)
    return replace(found, seconds=0.0)


def test_runs_in_a_row_say_what_each_says_alone(many: Many, tmp_path: Path) -> None:
    places = [
        lamp(tmp_path / "a", 2), lamp(tmp_path / "b", 5), lamp(tmp_path / "c", 2, "TRUE"),
    ]  # fmt: skip
    shared = [run(place, many) for place in (*places, places[0])]
    alone = [run(place) for place in places]
    assert shared == [*alone, alone[0]]
    assert [one.result for one in alone] == ["success", "success", "CountBounded"]
    assert alone[2].trace[-1].state["count"] == 3
    assert alone[0].distinct < alone[1].distinct
    assert "Lamp!Reset" in alone[0].actions


def test_what_the_shared_jvm_finds_to_be_an_error_is_run_again_alone(
    many: Many, tmp_path: Path
) -> None:
    place = lamp(tmp_path / "a", 2, 'count < "two"')
    assert run(place, many) == run(place)
    assert run(lamp(tmp_path / "b", 2), many).result == "success"


def test_a_jvm_that_does_not_come_up_costs_nothing(tmp_path: Path) -> None:
    broken = Many(tmp_path)  # no class is there
    place = lamp(tmp_path / "a", 2)
    assert run(place, broken) == run(place)
    broken.close()


def test_a_run_past_its_limit_ends_the_jvm_and_the_next_has_a_new_one(
    many: Many, tmp_path: Path
) -> None:
    place = lamp(tmp_path / "a", 2, "TRUE")
    cfg = place / "Lamp.cfg"
    cfg.write_text("SPECIFICATION Spec\nCONSTANT Max = 2\nCHECK_DEADLOCK FALSE\n")
    arguments = ["-tool", "-workers", "1", "-fp", "0", "-metadir", str(tmp_path / "states")]
    arguments += ["-config", str(cfg), str(place / "Lamp.tla")]
    assert not many.run(arguments, tmp_path / "output", 3.0)
    assert run(lamp(tmp_path / "b", 2), many).result == "success"


def test_control_without_a_compiler_there_is_no_shared_jvm(tmp_path: Path) -> None:
    java = shutil.which("java")
    assert java is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(java)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(tmp_path))
        patch.setenv("PATH", str(tmp_path / "bin"))
        assert open_many(tmp_path / "cache") is None
