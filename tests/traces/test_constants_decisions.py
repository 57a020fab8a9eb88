"""Which names of a module are constants, and what is said where no run is on record at all."""

from enum import IntEnum
from pathlib import Path
from types import ModuleType

import pytest

from kernel.constants import CONSTANTS_VERSION
from traces.constants import (
    COMMAND,
    Unrecorded,
    constants_digest,
    record_text,
    recorded,
    values_of,
)


class Colour(IntEnum):
    """An enumeration."""

    RED = 1


@pytest.mark.req("SHL-041")
def test_constants_are_integers_tuples_and_enumerations_by_name() -> None:
    module = ModuleType("numbers_")
    names = {
        "Colour": Colour, "IntEnum": IntEnum, "Path": Path, "LIMIT": 3, "FLAG": True,
        "TABLE": (1, 2), "TEXT": "x", "RATE": 0.5, "lower": 4, "function": len,
    }  # fmt: skip
    vars(module).update(names)
    found = values_of((module,))
    assert found == {"Colour": {"RED": 1}, "LIMIT": 3, "FLAG": True, "TABLE": (1, 2)}
    assert values_of(()) == {}


@pytest.mark.req("SHL-039")
def test_a_record_without_a_run_says_that_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "constants.json"
    path.write_text(record_text(()), encoding="utf-8")
    with pytest.raises(Unrecorded) as caught:
        recorded(path)
    assert str(caught.value) == (
        f"{path}: no passing model run for version {CONSTANTS_VERSION} of the constants "
        f"({constants_digest()[:8]}); recorded: none; {COMMAND}"
    )
