"""The schema's tables, each held against the kernel's classes that it follows from.

Not here: the hash and its version (``test_schema``), types without a width
(``test_machine_decisions``).
"""

from dataclasses import fields
from types import MappingProxyType

import pytest

from kernel.state import Clock, Limits, Slot
from traces import schema
from traces.schema import COLUMNS, KIND_BY_EVENT, KINDS, LIMIT_FIELDS, VARIABLES, Column


@pytest.mark.req("JNL-013")
def test_every_class_of_events_leads_to_its_kind() -> None:
    assert isinstance(KIND_BY_EVENT, MappingProxyType)
    assert dict(KIND_BY_EVENT) == {kind.event: kind for kind in KINDS}


@pytest.mark.req("JNL-013")
def test_limits_and_variables_are_the_fields_of_the_kernels_state() -> None:
    assert tuple(field.name for field in fields(Limits)) == LIMIT_FIELDS
    assert VARIABLES[:3] == ("process_time_ms", "market_time_ms", "heartbeat_age_ms")
    assert len(set(VARIABLES)) == len(VARIABLES)
    assert set(VARIABLES) == {column.variable for column in COLUMNS}


@pytest.mark.req("JNL-002", "JNL-013")
def test_a_column_says_where_its_value_stands() -> None:
    by_name = {column.name: column for column in COLUMNS}
    assert COLUMNS[0] == Column(0, "process_time_ms", "clock", "process_time_ms", -1, "int")
    ages = [by_name[f"heartbeat_age_ms.{place}"] for place in range(4)]
    assert [(each.group, each.variable, each.position, each.kind) for each in ages] == [
        ("killswitch", "heartbeat_age_ms", place, "int") for place in range(4)
    ]
    for worker in range(8):
        for field in fields(Slot):
            found = by_name[f"slots.{worker}.{field.name}"]
            assert (found.group, found.variable, found.position) == ("gate", field.name, worker)
    alone = [column for column in COLUMNS if "." not in column.name]
    assert {(column.position, column.variable == column.name) for column in alone} == {(-1, True)}


class Single:
    """A group of tuples of one."""

    numbers: tuple[int]
    slots: tuple[Slot]


class Other:
    """A state whose limits do not stand last."""

    limits: Limits
    clock: Clock
    single: Single


@pytest.mark.req("JNL-013")
def test_control_the_columns_follow_a_state_of_other_groups(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schema, "State", Other)
    found = schema._columns()
    assert [column.name for column in found] == [
        "process_time_ms",
        "market_time_ms",
        "numbers.0",
        *(f"slots.0.{field.name}" for field in fields(Slot)),
    ]
    assert {column.group for column in found} == {"clock", "single"}
