"""Judging mutants of the models: each check kills, each wrong waiver is named.

The JVMs are real; a test that starts some says how many.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from verify.item import DOES_NOT_HOLD, HOLDS, NOT_RUN
from verify.models.manifest import Row, load_manifest
from verify.mutation import spec, spec_killers
from verify.mutation.spec import (
    JUSTIFIED,
    Justification,
    Unreadable,
    judge_all,
    read_justified,
    reckon,
    sample,
)
from verify.mutation.spec_killers import (
    CONFORMANCE,
    COUNT,
    UNASSIGNED,
    VIOLATION,
    GeneratorFault,
    Killer,
    Killers,
    Verdict,
)
from verify.mutation.spec_mutants import (
    Mutant,
    Scope,
    definition_sha256,
    mutants_of,
    scope_of,
)
from verify.store import Store

ROOT = Path(__file__).resolve().parents[3]
SPEC = ROOT / "spec" / "tla"
LIVES = Verdict("", "", "", 0.0)
KILLED = Verdict(COUNT, "MCGate", "distinct: pinned 1, found 2", 0.0)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return load_manifest(SPEC)


@pytest.fixture(scope="module")
def scope(rows: list[Row]) -> Scope:
    return scope_of(SPEC, rows)


@pytest.fixture(scope="module")
def every(scope: Scope) -> list[Mutant]:
    return mutants_of(scope)


Judge = Callable[..., Verdict]


@pytest.fixture
def judge(rows: list[Row], scope: Scope, every: list[Mutant], tmp_path: Path) -> Judge:
    """Judge one mutant with the killers that are named."""

    def judged(name: str, *names: str, **more: object) -> Verdict:
        (mutant,) = (one for one in every if one.id == name)
        changed = more.pop("rows", rows)
        killers = Killers(ROOT, changed, Store(tmp_path), **more)  # type: ignore[arg-type]  # as given

        def limit(_: Mutant, killer: Killer) -> bool:
            return killer.name in names

        tell = lambda done, total, what: None  # noqa: E731  (no bar)
        found = judge_all(killers, scope, [mutant], jobs=1, tell=tell, limit=limit)
        return found[mutant.id]

    return judged


# --- each way to kill, by real TLC ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "killer", "way"),
    [
        ("Posture:HIBERNATE+0:14:minus-one", "MCPostureSpecification", VIOLATION),
        ("Posture:TURTLE+0:11:plus-one", "MCPostureSpecification", COUNT),
        ("Posture:Init+0:29:drop-conjunct", "MCPostureSpecification", UNASSIGNED),
        ("Survival:BookShows+0:20:plus-one", "bible", CONFORMANCE),
    ],
)
def test_a_mutant_is_killed_and_its_killer_is_named(
    judge: Judge, name: str, killer: str, way: str
) -> None:
    # Two JVMs: the unchanged modules, the mutant.
    verdict = judge(name, killer)
    assert (verdict.way, verdict.killer) == (way, killer), verdict


def test_control_an_equivalent_mutant_lives(judge: Judge) -> None:
    # Min(a, b) with a < b: where they are equal it does not matter which. Four JVMs.
    verdict = judge("Fixed:Min+0:19:compare", "MCFixed", "MCPosture")
    assert (verdict.killed, verdict.unjudged) == (False, ())


def test_control_killers_that_look_at_no_counts_let_a_mutant_through(judge: Judge) -> None:
    assert judge("Posture:TURTLE+0:11:plus-one", "MCPostureSpecification").way == COUNT
    through = judge("Posture:TURTLE+0:11:plus-one", "MCPostureSpecification", counts=False)
    assert not through.killed


def test_control_a_killer_that_the_model_does_not_pass_judges_nothing(
    judge: Judge, rows: list[Row]
) -> None:
    stale = [
        replace(row, distinct=row.distinct + 1) if row.name == "MCPosture" else row for row in rows
    ]
    verdict = judge("Posture:HIBERNATE+0:14:plus-one", "MCPosture", rows=stale)
    assert not verdict.killed
    (why,) = verdict.unjudged
    assert why.startswith("no killer: MCPosture: distinct: pinned 116, found 115")


def test_control_a_mutant_that_is_no_tla_is_the_generators_fault(
    rows: list[Row], every: list[Mutant], tmp_path: Path
) -> None:
    killers = Killers(ROOT, rows, Store(tmp_path))
    shop = killers.workshop(tmp_path / "shop")
    mutant = next(one for one in every if one.module == "Posture")
    text = (SPEC / "Posture.tla").read_text().replace("IF bars_below", "IF IF bars_below")
    with pytest.raises(GeneratorFault, match="SANY"):
        killers.kill(shop, mutant, text, lambda killer: killer.name == "MCPosture")


def test_control_who_never_ends_is_ended_by_its_processor_time(tmp_path: Path) -> None:
    program = tmp_path / "tlc"
    ends = {"no": "while :; do :; done", "yes": "echo ended; kill -9 $$"}
    for name, text in ends.items():
        program.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
        program.chmod(0o700)
        if name == "no":
            with pytest.raises(spec_killers.Endless, match="over 1 s of processor time"):
                spec_killers._output([str(program)], tmp_path, 1)
        else:
            said, _ = spec_killers._output([str(program)], tmp_path, 1)
            assert said == "ended\n", "killed, and not by its processor time"


def test_control_mutants_that_there_are_not_are_bad_input(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert spec.main(["--only", "Nothing:"]) == 2
    assert capsys.readouterr().err == "--only Nothing:: no mutant's id begins so\n"


def test_what_killed_before_is_tried_first_and_is_only_a_hint(
    rows: list[Row], scope: Scope, every: list[Mutant], tmp_path: Path
) -> None:
    """A remembered killer that does not kill changes nothing: the next ones judge."""
    (mutant,) = (one for one in every if one.id == "Posture:TURTLE+0:11:plus-one")
    killers = Killers(ROOT, rows, Store(tmp_path), known={mutant.id: "MCKillSwitch"})
    assert killers.guessed(mutant) == [], "a killer that does not read the module is none"
    killers.known = {mutant.id: "MCPostureSpecification"}
    assert [one.name for one in killers.guessed(mutant)] == ["MCPostureSpecification"]
    neighbour = replace(mutant, line=mutant.line + 1, offset_line=mutant.offset_line + 1)
    assert killers.guessed(neighbour) == []
    killers.learn(mutant, "MCPosture")
    assert [one.name for one in killers.guessed(neighbour)] == ["MCPosture"]


def test_killers_are_written_down_and_read_back(tmp_path: Path) -> None:
    (tmp_path / spec.KILLERS).parent.mkdir(parents=True)
    assert spec.remembered(tmp_path) == {}
    verdicts = {"A:b": [COUNT, "MCGate", "", 0.0], "A:c": ["", "", "", 0.0]}
    spec.remember(tmp_path, verdicts)
    assert spec.remembered(tmp_path) == {"A:b": "MCGate"}


# --- reckoning -----------------------------------------------------------------------------------


def justified(scope: Scope, mutant: Mutant) -> Justification:
    bound = definition_sha256(scope.modules[mutant.module], mutant.definition)
    return Justification(mutant.id, bound, "the same where they are equal")


def test_a_survivor_is_a_finding_until_it_is_justified(scope: Scope, every: list[Mutant]) -> None:
    one, other = every[:2]
    verdicts = {one.id: LIVES, other.id: KILLED}
    status, figures, findings = reckon(scope, every, verdicts, ())
    assert status == DOES_NOT_HOLD
    assert findings == (f"{one.place}: {one.id}: {one.was!r} -> {one.now!r} survives",)
    assert (figures["total"], figures["killed"], figures["justified"]) == (2, 1, 0)

    status, figures, findings = reckon(scope, every, verdicts, [justified(scope, one)])
    assert (status, findings) == (HOLDS, ())
    assert (figures["total"], figures["killed"], figures["justified"]) == (2, 1, 1)


def test_control_a_justification_of_another_text_is_refused(
    scope: Scope, every: list[Mutant]
) -> None:
    entry = replace(justified(scope, every[0]), definition_sha256="0" * 64)
    status, figures, findings = reckon(scope, every, {every[0].id: LIVES}, [entry])
    assert status == DOES_NOT_HOLD
    assert figures["justified"] == 0
    assert f"bound to another text of {every[0].definition}" in findings[0]
    assert "survives" in findings[1]


def test_control_a_justification_of_a_killed_or_unknown_mutant_is_refused(
    scope: Scope, every: list[Mutant]
) -> None:
    killed = justified(scope, every[0])
    unknown = replace(killed, mutant="Gate:Nowhere+0:1:compare")
    status, _, findings = reckon(scope, every, {every[0].id: KILLED}, [killed, unknown])
    assert status == DOES_NOT_HOLD
    assert findings == (
        f"{JUSTIFIED}: {every[0].id}: it is killed by MCGate (distinct: pinned 1, found 2)",
        f"{JUSTIFIED}: Gate:Nowhere+0:1:compare: there is no such mutant",
    )


def test_control_what_could_not_be_judged_is_not_run_and_never_killed(
    scope: Scope, every: list[Mutant]
) -> None:
    lost = replace(LIVES, unjudged=("MCGate: did not end: no output",))
    status, figures, findings = reckon(scope, every, {every[0].id: lost}, ())
    assert status == NOT_RUN
    assert figures["killed"] == 0
    assert "not judged: MCGate: did not end" in findings[0]


def test_the_committed_justifications_are_of_todays_mutants(
    scope: Scope, every: list[Mutant]
) -> None:
    entries = read_justified(ROOT / JUSTIFIED)
    status, _, findings = reckon(scope, every, {}, entries)
    assert (status, findings) == (HOLDS, ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[justified]", "not TOML"),
        ('[[justified]]\nmutant = "a"\n', "entry 1: expected the texts"),
        ('[[justified]]\nmutant = "a"\ndefinition_sha256 = "b"\nwhy = " "\n', "says no why"),
    ],
)
def test_control_unreadable_justifications_are_one_line(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "justified.toml"
    path.write_text(text)
    with pytest.raises(Unreadable, match=message):
        read_justified(path)


def test_the_sample_is_the_same_and_moves_little(every: list[Mutant]) -> None:
    drawn = sample(every, spec.SAMPLE)
    assert drawn == sample(list(reversed(every)), spec.SAMPLE)
    fewer = sample([one for one in every if one.module != "Chain"], spec.SAMPLE)
    assert len({one.id for one in drawn} & {one.id for one in fewer}) > spec.SAMPLE // 2
