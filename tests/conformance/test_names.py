"""One vocabulary: the names of the models, of the kernel and of the journal agree, both ways.

What only one side has is listed here, one by one, with the reason. A name that appears or goes
anywhere else fails.
"""

import inspect
import random
import re
from dataclasses import fields

import pytest

from kernel import events, invariants, promises
from kernel.constants import PPM, Profile
from kernel.events import Event
from kernel.outcome import Effects, Reason
from kernel.state import Clock, Limits, Slot, State
from traces import schema
from verify.models.checking import SPEC_FOLDER
from verify.models.encoding import VARIABLES, state_of, variables_of
from verify.models.manifest import read_cfg
from verify.models.replay import REASONS
from verify.models.sample_states import harvest
from verify.models.tla import Module, Node, read_module, tokens_of

PARTS = ("KillSwitch", "Survival", "Posture", "Gate", "Ledger")

# The modules see differences of clocks, as a parameter (docs/KERNEL.md, "Scope").
CLOCKS = {"process_time_ms", "market_time_ms"}

# Promises that the kernel makes and the models cannot say: clocks and effects are not variables.
CODE_ONLY = {"ClocksOnlyAdvance", "EffectsFollowTheStep"}

# Properties of the models that are no function of the kernel, and why.
MODEL_ONLY = {
    "RefusalsChangeNothing": "a Refused carries no state, by its type",
    "ChangesAreCounted": "asked of Posture alone, whose counters the kernel's bounds hold",
    "ImpossibleViewIsRefused": "a range that no window's parameters leave; tests/kernel has it",
    "PeakResetIsTwoStep": "told by the request's age in the guard; RearmIsTwoStep's twin",
    "RefinesTrader": "a statement on all of Kernel: each step is one of Trader.tla's",
    "ChainIsAppendOnly": "the book of records is traces/, not the kernel",
    "KillLeadsToFlat": "liveness",
    "HealthLeadsToApex": "liveness",
}


def module(name: str) -> Module:
    """Return a module of the models."""
    return read_module(name, (SPEC_FOLDER / f"{name}.tla").read_text())


def declared(name: str) -> set[str]:
    """Return the variables that a module declares."""
    return set(module(name).variables)


def defined(name: str) -> set[str]:
    """Return the operators that a module defines at top level."""
    return set(module(name).definitions)


def actions(body: Node) -> set[str]:
    """Return the actions that a list of disjuncts names, each perhaps under quantifiers."""
    found = set()
    for part in body.parts:
        while part.kind in ("quantifier", "infix"):
            part = part.parts[-1 if part.kind == "quantifier" else 0]
        found.add(part.name)
    return found


def event_names() -> set[str]:
    return {
        name
        for name, thing in vars(events).items()
        if isinstance(thing, type) and issubclass(thing, Event) and thing is not Event
    }


def state_names() -> set[str]:
    """Return the names of the kernel's fields, the limits left out."""
    found: set[str] = set()
    for group in fields(State):
        inner = group.type
        if inner is Limits:
            continue
        for field in fields(inner):  # type: ignore[arg-type]  # every group is a dataclass
            found |= {one.name for one in fields(Slot)} if field.name == "slots" else {field.name}
    return found


def functions_of(module: object) -> set[str]:
    """Return the module's own functions with a model's spelling."""
    return {
        name
        for name, thing in vars(module).items()
        if name[0].isupper() and inspect.isfunction(thing) and thing.__module__ == module.__name__  # type: ignore[attr-defined]  # a module
    }


def checked_names(pattern: str) -> tuple[set[str], set[str]]:
    """Return the invariants and the properties that some good configuration checks."""
    invariant: set[str] = set()
    property_: set[str] = set()
    for path in sorted(SPEC_FOLDER.glob(pattern)):
        read = read_cfg(path.read_text())
        invariant |= set(read.invariants)
        property_ |= set(read.properties)
    return invariant, property_


@pytest.mark.req("KRN-CONF-001")
def test_variables() -> None:
    code = state_names() - CLOCKS
    assert declared("Kernel") == code
    assert set().union(*(declared(part) for part in PARTS)) == code
    assert set(VARIABLES) == code
    assert set(schema.VARIABLES) - CLOCKS == code
    assert {field.name for field in fields(Clock)} == CLOCKS


@pytest.mark.req("KRN-CONF-001")
def test_every_variable_is_some_modules_own() -> None:
    """A module may read another's variable; it says so in a comment. Kernel declares each once."""
    listed = module("Kernel").variables
    assert len(listed) == len(set(listed))


@pytest.mark.req("KRN-CONF-001")
def test_events() -> None:
    operators = defined("Kernel")
    names = event_names()
    assert names <= operators
    # An event that can be refused has a verdict operator; one that cannot has none.
    judged = {name.removesuffix("Verdict") for name in operators if name.endswith("Verdict")}
    assert judged == {name for name in names if REASONS[name]}
    assert {kind.name for kind in schema.KINDS} == names
    assert REASONS.keys() == names


@pytest.mark.req("KRN-CONF-001")
def test_next_names_every_event_and_nothing_else() -> None:
    window = module("MCKernel").definitions
    operators = defined("MCKernel") | defined("Kernel")
    called = actions(window["Accepting"].body) | actions(window["Next"].body)
    called.discard("Accepting")
    assert called <= operators
    plain = {name for name in called if not name.startswith("Refuse")}
    # Two events are bounded there under a name that says how.
    bounded = {"RequestOwnOrder": "RequestOrder", "ReportFillAtMark": "ReportFill",
               "ReportStrayFill": "ReportFill"}  # fmt: skip
    assert {bounded.get(name, name) for name in plain} == event_names()
    refused = {name.removeprefix("Refuse") for name in called - plain}
    assert refused <= {name for name in event_names() if REASONS[name]}


@pytest.mark.req("KRN-CONF-001")
def test_reasons() -> None:
    spoken: set[str] = set()
    for part in (*PARTS, "Kernel"):
        said = [one.text.strip('"') for one in tokens_of(module(part).text) if one.kind == "string"]
        spoken |= {text for text in said if text.isupper()}
    assert spoken == {reason.name for reason in Reason}
    assert set(schema.describe()["names"]["Reason"]) == spoken


@pytest.mark.req("KRN-CONF-001")
def test_effects() -> None:
    page = (SPEC_FOLDER.parents[1] / "docs" / "KERNEL.md").read_text()
    names = [field.name for field in fields(Effects)]
    assert f"({', '.join(names)})" in page
    assert list(schema.EFFECT_NAMES) == names


@pytest.mark.req("KRN-CONF-001")
def test_invariants() -> None:
    code = functions_of(invariants) - {"Inv"}
    composed, _ = checked_names("MCKernel*.cfg")
    anywhere, _ = checked_names("MC*.cfg")
    assert composed - MODEL_ONLY.keys() <= code
    assert code <= anywhere
    for name in composed:
        assert name in defined("Kernel") | defined("MCKernel")


@pytest.mark.req("KRN-STEP-006")
@pytest.mark.random
@pytest.mark.parametrize("profile", list(Profile))
def test_inv_says_what_the_named_invariants_say(profile: Profile) -> None:
    """``Inv`` asks in one walk what the named ones ask one by one: of corrupted states too."""
    chance = random.Random(f"names/{int(profile)}")
    named = [getattr(invariants, name) for name in functions_of(invariants) - {"Inv"}]
    verdicts = {True: 0, False: 0}
    for seed in harvest(profile, 120):
        for state in (seed.state, *(corrupted(seed.state, chance) for _ in range(6))):
            verdict = invariants.Inv(state)
            said = all(one(state) for one in named)
            assert verdict == said, state
            verdicts[verdict] += 1
    assert min(verdicts.values()) > 50


def corrupted(state: State, chance: random.Random) -> State:
    """Return the state with one field changed a little."""
    variables = variables_of(state)
    name = chance.choice(VARIABLES)
    value = variables[name]
    if isinstance(value, bool):
        variables[name] = not value
    elif isinstance(value, tuple) and len(value) == 8:
        worker = chance.randrange(2)
        item = value[worker]
        bent: object = (item[0], item[1] ^ 1) if isinstance(item, tuple) else (item + 1) % 4
        variables[name] = (*value[:worker], bent, *value[worker + 1 :])
    elif isinstance(value, tuple) and len(value) == 4:
        variables[name] = (value[0] + chance.choice((30_001, -1)), *value[1:])
    elif isinstance(value, tuple):
        variables[name] = (value[0] + chance.choice((1, -1)), value[1])
    else:
        changed = max(0, int(value) + chance.choice((1, -1)))  # a curve takes no negative input
        if name.endswith("_ppm"):
            changed = min(changed, PPM)
        ranges = {"posture": 4, "operator_request": 3, "forewarner_status": 3}
        variables[name] = changed % ranges[name] if name in ranges else changed
    return state_of(variables, state.clock, state.limits)


@pytest.mark.req("KRN-CONF-001", "KRN-STEP-005")
def test_step_properties() -> None:
    code = functions_of(promises) - {"StepProperties"}
    _, composed = checked_names("MCKernel*.cfg")
    _, anywhere = checked_names("MC*.cfg")
    assert composed - MODEL_ONLY.keys() <= code
    assert code - CODE_ONLY <= anywhere
    called = set(re.findall(r"\b([A-Z]\w+)\(", inspect.getsource(promises.StepProperties)))
    # FastAttack of a step is MultiplierNeverAboveTarget of its end, which Inv asks.
    assert called - {"StepProperties"} == code - {"FastAttack"}


@pytest.mark.req("KRN-CONF-001")
@pytest.mark.parametrize("name", sorted(MODEL_ONLY))
def test_what_only_the_models_say_is_said_there(name: str) -> None:
    said = any(name in defined(path.stem) for path in SPEC_FOLDER.glob("*.tla"))
    assert said, f"{name} is in no module: take it off the list"


@pytest.mark.req("KRN-CONF-001")
def test_the_page_names_every_event_and_variable() -> None:
    page = (SPEC_FOLDER.parents[1] / "docs" / "KERNEL.md").read_text()
    for name in (*event_names(), *VARIABLES, *CLOCKS):
        assert f"`{name}" in page or f", {name}" in page, f"docs/KERNEL.md does not name {name}"
    for name in functions_of(invariants) | functions_of(promises):
        if name not in CODE_ONLY | {"Inv", "StepProperties", "RearmRequestMeansLatched"}:
            assert f"`{name}`" in page, f"docs/KERNEL.md does not name {name}"


# --- it can fail ---------------------------------------------------------------------------------


def test_the_reader_of_modules_reads() -> None:
    assert declared("Posture") == {
        "posture", "bars_below", "bars_above", "multiplier_ppm",
    }  # fmt: skip
    assert "CloseBar" in defined("Survival")
    assert "NoSuchOperator" not in defined("Survival")
    assert functions_of(promises) >= {"FastAttack", "SlowRecovery"}
