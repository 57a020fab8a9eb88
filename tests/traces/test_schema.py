"""The schema is the kernel's, and it cannot change unseen."""

from dataclasses import fields
from types import MappingProxyType
from typing import get_type_hints

import pytest

from kernel import events, state
from kernel import events as kernel_events
from kernel.constants import Posture
from kernel.outcome import Effects, Reason
from kernel.state import Clock, Limits, Slot
from tests.traces.samples import header_of, walk
from traces import schema
from traces.codec import DeltaEncoder, state_columns, state_of
from traces.schema import (
    COLUMNS,
    KIND_BY_CODE,
    KIND_BY_NAME,
    KINDS,
    SCHEMA_HASH,
    SCHEMA_VERSION,
    VARIABLES,
    Column,
)

# A change of the kernel's events or state changes the hash. Then raise SCHEMA_VERSION and pin both.
PINNED = (1, "03cac9391277ef0475abe86a01bd9d71")


@pytest.mark.req("JNL-013")
def test_a_change_of_the_schema_raises_its_version() -> None:
    assert (SCHEMA_VERSION, SCHEMA_HASH) == PINNED


@pytest.mark.req("JNL-013")
def test_the_hash_is_over_every_name_and_type() -> None:
    before = schema.schema_hash()
    changed = schema.describe()
    assert changed["events"][0] == [1, "AdvanceTime", [["process_time_ms", "int", 1]]]
    kinds = schema.KINDS
    try:
        schema.KINDS = kinds[:-1]  # type: ignore[misc]  # the control: a kind less
        assert schema.schema_hash() != before
    finally:
        schema.KINDS = kinds  # type: ignore[misc]  # as it was
    assert schema.schema_hash() == before


@pytest.mark.req("JNL-013", "JNL-002")
def test_every_event_has_a_kind_and_every_field_a_place() -> None:
    classes = [
        thing
        for thing in vars(events).values()
        if isinstance(thing, type) and issubclass(thing, events.Event) and thing is not events.Event
    ]
    assert [kind.event for kind in KINDS] == classes
    assert [kind.code for kind in KINDS] == list(range(1, len(classes) + 1))
    for kind in KINDS:
        names = [field.name for field in fields(kind.event)]  # type: ignore[arg-type]  # dataclasses
        assert [field.name for field in kind.fields] == names


@pytest.mark.req("JNL-013", "JNL-002")
def test_every_field_of_the_state_has_its_columns() -> None:
    names = {column.variable for column in COLUMNS}
    expected = {
        field
        for group, cls in get_type_hints(state.State).items()
        if group != "limits"
        for field in get_type_hints(cls)
        if field != "slots"
    } | set(get_type_hints(state.Slot))
    assert names == expected
    assert [column.code for column in COLUMNS] == list(range(len(COLUMNS)))
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)


@pytest.mark.req("JNL-013", "KRN-CONF-001")
def test_names_are_the_kernels() -> None:
    assert tuple(field.name for field in fields(Effects)) == schema.EFFECT_NAMES
    assert schema.describe()["names"]["Reason"] == {one.name: int(one) for one in Reason}


@pytest.mark.req("JNL-002")
@pytest.mark.random
def test_a_state_is_its_columns() -> None:
    header = header_of()
    for before, _, _ in walk(17, 400, header.opening_state()):
        assert state_of(state_columns(before), header.limits) == before


@pytest.mark.req("JNL-014")
@pytest.mark.random
def test_a_digest_depends_on_the_state_alone() -> None:
    header = header_of()
    fold = DeltaEncoder(header.opening_state())
    for before, event, outcome in walk(18, 400, header.opening_state()):
        assert DeltaEncoder(before).digest == fold.digest
        fold.body(event, outcome)


# --- each table follows from the kernel's classes ------------------------------------------------


@pytest.mark.req("JNL-013")
def test_every_name_and_code_leads_to_its_kind() -> None:
    for table in (KIND_BY_CODE, KIND_BY_NAME):
        assert isinstance(table, MappingProxyType)
    assert dict(KIND_BY_NAME) == {kind.event.__name__: kind for kind in KINDS}
    assert dict(KIND_BY_CODE) == dict(enumerate(KINDS, start=1))


@pytest.mark.req("JNL-013")
def test_limits_and_variables_are_the_fields_of_the_kernels_state() -> None:
    limits = [name for name, _ in schema.describe()["limits"]]
    assert limits == [field.name for field in fields(Limits)]
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


# --- what has no place in the schema -------------------------------------------------------------


@pytest.mark.req("JNL-013")
def test_a_type_without_a_width_has_no_place_in_the_schema() -> None:
    assert [schema._kind_name(each) for each in (int, bool, Posture)] == ["int", "bool", "Posture"]
    for wrong in (str, float, list[int], None):
        with pytest.raises(TypeError) as caught:
            schema._kind_name(wrong)
        assert str(caught.value) == f"{wrong!r}: the journal has no width for this type"


@pytest.mark.req("JNL-013")
def test_control_what_is_no_event_class_has_no_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    before = schema._event_classes()
    assert before == [kind.event for kind in schema.KINDS]
    monkeypatch.setattr(kernel_events, "Other", int, raising=False)
    monkeypatch.setattr(kernel_events, "other", 3, raising=False)
    assert schema._event_classes() == before
