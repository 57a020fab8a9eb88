"""A rejection says which conjunct is false, with the values it compared, and what was allowed."""

from dataclasses import replace
from itertools import chain

import pytest

from kernel.constants import Posture, Profile
from kernel.events import ReportShock
from kernel.outcome import Accepted, Reason, Refused
from kernel.step import step
from tests.kernel.sessions import claimed, order, until
from tests.traces.samples import header_of, walk
from traces.audit.explain import CONJUNCTS, explain, model_value
from traces.audit.rows import Place
from traces.audit.tlc import Rejection
from traces.codec import DeltaEncoder, EventRecord, unpack_record


def record_of(state: object, event: object, reason: int) -> EventRecord:
    """What a journal claims that says ``reason`` of the event."""
    body = DeltaEncoder(state).body(event, Refused(Reason.MALFORMED))  # type: ignore[arg-type]  # as told
    return replace(unpack_record(7, body), reason=reason)


@pytest.mark.req("AUD-006")
def test_a_false_guard_is_shown_with_its_values() -> None:
    state = claimed(until(Posture.APEX))
    event = order(quantity=400)
    refused = step(state, event)
    assert refused == Refused(Reason.NOTIONAL_ABOVE_FRACTION)
    rejection = Rejection(Place(0, 7), "verdict", (("verdict", "NOTIONAL_ABOVE_FRACTION", "ok"),))
    told = explain(rejection, "a.journal", record_of(state, event, 0), state)
    assert told.false == (
        "notional <= Capital × Ceiling div 5: "
        "notional = 40,000,000,000, bound = 30,000,000,000 (false)"
    )
    assert told.nearest == "RequestOrder refused, NOTIONAL_ABOVE_FRACTION: nothing changes"
    assert told.text.startswith("record 7 of a.journal is not a step of the model\n")
    assert "APEX" in told.before


@pytest.mark.req("AUD-006")
def test_a_refusal_that_should_not_be_shows_what_would_have_happened() -> None:
    state = claimed(until(Posture.APEX))
    event = order(quantity=10)
    assert isinstance(step(state, event), Accepted)
    rejection = Rejection(Place(0, 7), "verdict", (("verdict", "ok", "HIBERNATING"),))
    record = record_of(state, event, int(Reason.HIBERNATING))
    told = explain(rejection, "a.journal", record, state)
    assert "posture = APEX (the journal says it fails, it holds)" in told.false
    assert "slots.0.permit_quantity = -10" in told.nearest


@pytest.mark.req("AUD-006")
def test_a_reason_that_the_event_has_not_is_said() -> None:
    state = until(Posture.APEX)
    rejection = Rejection(Place(0, 7), "verdict", (("verdict", "ok", "WOULD_GROW"),))
    record = record_of(state, ReportShock(), int(Reason.WOULD_GROW))
    told = explain(rejection, "a.journal", record, state)
    assert "no guard of ReportShock refuses with WOULD_GROW" in told.false


@pytest.mark.req("AUD-006")
def test_a_false_result_names_both_values() -> None:
    state = until(Posture.APEX)
    rejection = Rejection(
        Place(0, 7),
        "state",
        (("cash", "<<25000, 1>>", "<<25000, 0>>"), ("killed", "FALSE", "TRUE")),
    )
    told = explain(rejection, "a.journal", record_of(state, ReportShock(), 0), state)
    assert "cash' = 25000000001 in the model, 25000000000 in the journal" in told.false
    assert "killed' = 0 in the model, 1 in the journal" in told.false
    assert told.nearest == "the same ReportShock with killed = 0, cash = 25000000001"


@pytest.mark.req("AUD-006")
@pytest.mark.parametrize(
    ("text", "value"),
    [("<<-1, 999999>>", "-1"), ("TRUE", "1"), ("5", "5"), ("<<0, 0>>", "0")],
)
def test_values_are_the_journals(text: str, value: str) -> None:
    assert model_value(text) == value


@pytest.mark.req("AUD-006")
@pytest.mark.random
def test_every_refusal_of_a_walk_can_be_explained() -> None:
    # Each reason that sessions meet has a guard whose values can be read from state and event.
    told: dict[str, str] = {}
    for profile in Profile:
        opening = header_of(profile).opening_state()
        steps = chain(walk(40, 1_500, opening, 0.3), walk(40, 1_500, opening, 0.05))
        for state, event, outcome in steps:
            if isinstance(outcome, Refused) and outcome.reason.name not in told:
                verdict = (("verdict", outcome.reason.name, "ok"),)
                rejection = Rejection(Place(0, 7), "verdict", verdict)
                found = explain(rejection, "a", record_of(state, event, 0), state)
                told[outcome.reason.name] = found.false
    assert len(told) >= 12
    assert [reason for reason, text in told.items() if "no guard of" in text] == []
    assert set(CONJUNCTS) == {reason.name for reason in Reason}
