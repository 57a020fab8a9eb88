"""Model → code: every edge that TLC computes from the modules, taken by the kernel too.

A sample of the corpus is drawn up again by the real TLC, by the seed of the run, and replayed; with
``--campaigns=whole`` (``make check``) the whole of it, and compared with what is committed. The
last tests show that a wrong kernel, a wrong graph or a missing edge would not pass.
"""

import json
import random
from dataclasses import replace

import pytest

from kernel import events as ev
from kernel.constants import Permit, Posture, Profile
from kernel.events import Event
from kernel.outcome import Accepted, Outcome, Reason, Refused
from kernel.state import State
from kernel.step import step_bare
from verify.models import edges
from verify.models.dot import Graph
from verify.models.edges import (
    ABSTRACT,
    CORPUS,
    EdgeError,
    Plan,
    corpus,
    dump,
    dumped,
    expected_effects,
    gate_plan,
    move_of,
    plans,
    replay,
)
from verify.models.encoding import state_of, variables_of
from verify.models.moves import clock_of, stimuli
from verify.models.replay import REASONS
from verify.models.sample_states import harvest

SAMPLED = 6  # of 240 states, every move from each


@pytest.mark.req("KRN-CONF-002", "KRN-STEP-009")
@pytest.mark.random
@pytest.mark.slow
@pytest.mark.campaign
def test_every_edge_is_the_kernels_too_and_the_corpus_has_not_drifted(
    whole: bool, rng: random.Random
) -> None:
    if not whole:
        plan = rng.choice([plan for plan in plans() if plan.depth == 1])
        plan = replace(plan, seeds=tuple(rng.sample(plan.seeds, SAMPLED)))
        summary, mismatches = replay(plan, dump(plan)[1])
        assert mismatches == []
        assert summary.edges == SAMPLED * len(plan.moves)
        return
    text, graph, mismatches = corpus(dumped())
    first = [f"{one.move} {one.verdict}: {'; '.join(one.differences)}" for one in mismatches[:5]]
    assert not mismatches, f"{len(mismatches)} edges differ: {first}"
    remedy = "drifted; if on purpose: python -m verify.models.edges --update"
    assert text == CORPUS.read_text(), f"{CORPUS} {remedy}"
    assert graph == ABSTRACT.read_text(), f"{ABSTRACT} {remedy}"


@pytest.mark.req("KRN-CONF-002")
@pytest.mark.random
def test_the_gates_whole_graph_is_the_committed_one(small: tuple[Plan, Graph]) -> None:
    plan, graph = small
    summary, mismatches = replay(plan, graph)
    assert mismatches == []
    assert summary.as_json() in json.loads(CORPUS.read_text())["graphs"]


@pytest.mark.req("KRN-CONF-003")
def test_the_committed_corpus_reaches_every_event_reason_and_effect() -> None:
    found = json.loads(CORPUS.read_text())["graphs"]
    classes = {
        name
        for name, thing in vars(ev).items()
        if isinstance(thing, type) and issubclass(thing, Event) and thing is not Event
    }
    assert {name for graph in found for name in graph["events"]} == classes
    assert {name for graph in found for name in graph["reasons"]} == {
        reason.name for reason in Reason
    }
    assert {name for graph in found for name in graph["effects"]} == {
        "none", "cancel_all_orders", "flatten_positions", "issue_permit",
    }  # fmt: skip


@pytest.mark.req("KRN-CONF-003")
def test_the_generator_knows_every_reason_of_every_event() -> None:
    assert {reason for reasons in REASONS.values() for reason in reasons} == {
        reason.name for reason in Reason
    }
    assert {move.action for move in stimuli()} == REASONS.keys()


@pytest.mark.req("KRN-CONF-002")
@pytest.mark.random
@pytest.mark.parametrize("profile", list(Profile))
def test_a_state_survives_the_way_to_the_model_and_back(profile: Profile) -> None:
    seeds = harvest(profile, 240)
    assert len(seeds) == 240
    postures = {seed.state.machine.posture for seed in seeds}
    assert postures == set(Posture)
    kinds = {slot.permit_kind for seed in seeds for slot in seed.state.gate.slots}
    assert kinds == set(Permit)
    for seed in seeds:
        state = seed.state
        assert state_of(variables_of(state), state.clock, state.limits) == state


def test_the_seeds_are_the_same_every_time() -> None:
    first = harvest(Profile.BIBLE, 40)
    harvest.cache_clear()
    assert harvest(Profile.BIBLE, 40) == first


# --- it can fail ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> tuple[Plan, Graph]:
    """The gate's graph."""
    plan = gate_plan()
    return plan, dump(plan)[1]


def _wrong_reason(state: State, event: Event) -> Outcome:
    outcome = step_bare(state, event)
    if isinstance(outcome, Refused) and outcome.reason == Reason.WOULD_FLIP:
        return Refused(reason=Reason.WOULD_GROW)
    return outcome


def _wrong_accept(state: State, event: Event) -> Outcome:
    outcome = step_bare(state, event)
    if isinstance(outcome, Refused) and isinstance(event, ev.ConfirmFence):
        return step_bare(state, ev.ReconcileLedger(state.ledger.cash, (0,) * 8))
    return outcome


def _wrong_effect(state: State, event: Event) -> Outcome:
    outcome = step_bare(state, event)
    if isinstance(outcome, Accepted) and isinstance(event, ev.CloseOrder):
        return replace(outcome, effects=replace(outcome.effects, flatten_positions=False))
    return outcome


def _wrong_field(state: State, event: Event) -> Outcome:
    outcome = step_bare(state, event)
    if isinstance(outcome, Accepted) and isinstance(event, ev.ReportFill):
        ledger = replace(outcome.state.ledger, fees=outcome.state.ledger.fees + 1)
        return replace(outcome, state=replace(outcome.state, ledger=ledger))
    return outcome


@pytest.mark.req("KRN-CONF-002")
@pytest.mark.random
@pytest.mark.parametrize("bug", [_wrong_reason, _wrong_accept, _wrong_effect, _wrong_field])
def test_a_seeded_bug_is_seen(small: tuple[Plan, Graph], bug: edges.Stepper) -> None:
    plan, graph = small
    assert replay(plan, graph)[1] == []
    _, mismatches = replay(plan, graph, bug)
    assert mismatches, "the bug went unseen"


def test_an_edge_that_is_no_move_is_an_error(small: tuple[Plan, Graph]) -> None:
    plan, graph = small
    for label in ("RNext", "E999_ok", "E1", "Init"):
        with pytest.raises(EdgeError, match="no move of the stimuli"):
            move_of(label, plan.moves)
    source, target, _ = graph.edges[0]
    with pytest.raises(EdgeError, match="no move of the stimuli"):
        replay(plan, replace(graph, edges=(*graph.edges, (source, target, "RNext"))))


def test_a_missing_or_a_second_answer_is_an_error(small: tuple[Plan, Graph]) -> None:
    plan, graph = small
    with pytest.raises(EdgeError, match="times, expected once"):
        replay(plan, replace(graph, edges=graph.edges[1:]))
    with pytest.raises(EdgeError, match="times, expected once"):
        replay(plan, replace(graph, edges=(*graph.edges, graph.edges[0])))


@pytest.mark.req("KRN-STEP-001")
@pytest.mark.random
def test_a_refusal_that_changes_the_state_is_a_mismatch(small: tuple[Plan, Graph]) -> None:
    plan, graph = small
    place, (source, _, label) = next(
        (place, edge)
        for place, edge in enumerate(graph.edges)
        if not edge[2].endswith("_ok") and edge[0] == edge[1]
    )
    other = next(node for node in graph.states if node != source)
    changed = (*graph.edges[:place], (source, other, label), *graph.edges[place + 1 :])
    _, mismatches = replay(plan, replace(graph, edges=changed))
    assert [one.differences for one in mismatches] == [("the model's refusal changes the state",)]


@pytest.mark.req("KRN-FENCE-002", "KRN-FENCE-007", "KRN-GATE-023")
@pytest.mark.random
def test_effects_come_from_the_states_alone() -> None:
    plan = gate_plan()
    for seed in plan.seeds:
        for move in plan.moves:
            state = replace(seed, clock=clock_of(move))
            outcome = step_bare(state, edges.event_of(move, state))
            if isinstance(outcome, Accepted):
                before, after = variables_of(state), variables_of(outcome.state)
                assert expected_effects(move, before, after) == outcome.effects
