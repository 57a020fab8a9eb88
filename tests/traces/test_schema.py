"""The schema is the kernel's, and it cannot change unseen."""

from dataclasses import fields
from typing import get_type_hints

import pytest

from kernel import events, state
from kernel.outcome import Effects, Reason
from tests.traces.samples import header_of, walk
from traces import schema
from traces.codec import DeltaEncoder, state_columns, state_of
from traces.schema import COLUMNS, KINDS, SCHEMA_HASH, SCHEMA_VERSION

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
    assert tuple(reason.name for reason in Reason) == schema.REASON_NAMES


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
