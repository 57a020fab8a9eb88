"""The module that reads a row is the one that is generated from the columns of the state."""

from dataclasses import replace

import pytest

from traces.audit import layout
from traces.provenance import SPEC_FOLDER
from traces.schema import COLUMNS
from verify.models.tla import read_module

COMMITTED = (SPEC_FOLDER / "TraceLayout.tla").read_text(encoding="utf-8")


def test_the_module_is_what_is_generated() -> None:
    assert layout.layout_module() == COMMITTED, "run `python -m traces.audit.layout --write`"


def test_every_column_but_the_clocks_has_its_field_once() -> None:
    codes = [cell.code for group in layout.GROUPS for cell in group.cells]
    assert codes == [column.code for column in COLUMNS if column.group != "clock"]
    assert [group.worker for group in layout.GROUPS if group.worker >= 0] == list(range(8))


def test_the_module_names_every_variable_in_start_claim_and_differences() -> None:
    module = read_module("TraceLayout", COMMITTED)
    starts = {
        node.parts[0].name
        for node in module.definitions["AtStart"].body.parts
        if node.kind == "infix" and node.name == "="
    }
    variables = {column.variable for column in COLUMNS if column.group != "clock"}
    assert starts == variables
    for name in variables:
        assert f'"{name}' in COMMITTED, name


def test_control_a_column_that_moves_or_comes_changes_the_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = next(c.code for c in COLUMNS if c.name == "bars_below")
    swapped = list(COLUMNS)
    swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
    monkeypatch.setattr(layout, "GROUPS", layout.groups_of(swapped))
    assert layout.layout_module() != COMMITTED


def test_control_a_column_without_a_width_is_an_error() -> None:
    fresh = replace(COLUMNS[-1], variable="novelty", name="novelty")
    with pytest.raises(TypeError, match="novelty: the models have no width for it"):
        layout.groups_of((*COLUMNS, fresh))
