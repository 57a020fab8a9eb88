"""The runner of the proofs: what it counts, what it keeps, what it does not rely on.

The prover itself takes minutes; here a stand-in answers, so that the runner's own faults show. The
real one is run by ``dolphin verify``.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from verify.item import DOES_NOT_HOLD, FAST, FULL, HOLDS, NOT_RUN, Context
from verify.mutation.code_mutants import mutants_of
from verify.proof import controls, run
from verify.proof.closure import Place, Texts
from verify.proof.generate import functions_of, generate, sources
from verify.proof.prover import Answer, Member, Prover
from verify.store import Store

ROOT = Path(__file__).resolve().parents[3]
Says = Callable[[Path, tuple[str, ...]], Answer]
JOB = "causes"


class StandIn:
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self, says: Says, base: Path) -> None:
        self.says = says
        self.base = base
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def prove(
        self,
        file: Path,
        select: tuple[str, ...] = (),
        query_ms: int = 0,
        told: Callable[[Member], None] = lambda _: None,
    ) -> Answer:
        self.asked.append((file.stem, select))
        answer = self.says(file, select)
        for each in answer.members:
            told(each)
        return answer


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(FULL, ROOT, Store(tmp_path / "store"), lambda *_: None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return generate(ROOT, tmp_path_factory.mktemp("proof"))


def texts_of(made: dict[str, Path]) -> dict[str, str]:
    return {module: file.read_text("utf-8") for module, file in made.items()}


def heard(texts: dict[str, str], verified: Callable[[str], bool | None]) -> Answer:
    """Answer as the prover does of the functions of a module; None is not heard of."""
    said = {one.name: (one.lineno, verified(one.name)) for one in functions_of(texts[JOB])}
    members = tuple(
        Member(f"kernel/{JOB}.py", line, holds, 0.1)
        for line, holds in said.values()
        if holds is not None
    )
    errors = tuple(
        f"Postcondition of {name} might not hold. ({JOB}.py@{line}.4)"
        for name, (line, holds) in said.items()
        if holds is False
    )
    return Answer(not errors, True, 0.1, errors, members)


def tried(
    context: Context, made: dict[str, Path], verified: Callable[[str], bool | None]
) -> tuple[StandIn, int, list[str], list[Place]]:
    texts = texts_of(made)
    places = [place for place in run.wanted(texts, set(), FULL) if place[0] == JOB]
    prover = StandIn(lambda *_: heard(texts, verified), made[JOB].parents[1])
    proved, findings = run.proved_of(context, places, [cast(Prover, prover)], context.store, texts)
    return prover, proved, findings, places


def test_every_function_is_in_one_job(made: dict[str, Path]) -> None:
    names = run.listed(ROOT)
    texts = texts_of(made)
    planned = list(run.jobs(texts, Texts(texts), run.wanted(texts, {"kernel.slots.put"}, FULL)))
    found = [place for job in planned for place in job]
    listed = {(module, each) for module in names if module in made for each in names[module]}
    assert len(found) == len(set(found))
    assert set(found) == listed - {("slots", "put")}
    assert max(map(len, planned)) <= run.JOB_FUNCTIONS


def test_a_job_comes_after_what_it_stands_on(made: dict[str, Path]) -> None:
    order = run.layers(texts_of(made))
    assert set(order) == set(made)
    assert order.index("constants") < order.index("slots") < order.index("answers")


def test_a_proof_is_kept_and_not_run_again(context: Context, made: dict[str, Path]) -> None:
    prover, proved, findings, places = tried(context, made, lambda _: True)
    assert (proved, findings) == (len(places), [])
    assert len(prover.asked) == 1
    prover, again, _, _ = tried(context, made, lambda _: False)
    assert (again, prover.asked) == (proved, [])


def test_control_a_failure_is_named_and_never_kept(context: Context, made: dict[str, Path]) -> None:
    for _ in range(2):
        _, proved, findings, places = tried(context, made, lambda name: name != "latched")
        assert proved == len(places) - 1
        (found,) = findings
        assert found.startswith(
            "kernel/causes.py: latched is not proved: Postcondition of latched might not hold."
        )


def test_control_what_was_not_heard_of_is_asked_alone_and_never_proved(
    context: Context, made: dict[str, Path]
) -> None:
    prover, proved, findings, places = tried(
        context, made, lambda name: None if name == "latched" else True
    )
    assert proved == len(places) - 1
    assert [select for _, select in prover.asked][1:] == [("latched",)]
    assert "latched is not proved" in findings[0]


def test_control_an_error_in_a_function_outweighs_the_word_verified(made: dict[str, Path]) -> None:
    texts = texts_of(made)
    answer = heard(texts, lambda _: True)
    line = next(one.lineno for one in functions_of(texts[JOB]) if one.name == "latched")
    said = replace(answer, errors=(f"Precondition might not hold. ({JOB}.py@{line + 1}.4)",))
    places = [(JOB, "latched"), (JOB, "cause_active")]
    found = run.verdicts(places, said, run.spans_of(texts, places))
    assert [holds for holds, _ in found.values()] == [False, True]


def test_the_key_moves_with_what_is_reached_and_nothing_else(made: dict[str, Path]) -> None:
    texts = texts_of(made)

    def key(changed: dict[str, str]) -> str:
        return run.key_for("lock", ("answers", "on_time"), Texts(changed))

    before = key(texts)
    assert before == key(dict(texts))
    for module, was, now in (
        ("constants", "AGE_MS_MAX: Final[int] = ", "AGE_MS_MAX: Final[int] = 1 + "),
        ("survival", "min(age_ms + dt_ms, AGE_MS_MAX)", "min(age_ms - dt_ms, AGE_MS_MAX)"),
        ("contract.slots", "before.fence_epoch + 1", "before.fence_epoch + 2"),
    ):
        assert was in texts[module]
        assert key({**texts, module: texts[module].replace(was, now, 1)}) != before
    outside = {**texts, "gate": texts["gate"].replace("def close_order", "def closed_order")}
    assert key(outside) == before


def test_control_a_contract_that_contradicts_itself_is_named(
    context: Context, made: dict[str, Path]
) -> None:
    """A probe that is not refused is a finding; so is a probe that the prover could not read."""
    texts = texts_of(made)

    def stand_in(says: Says) -> Prover:
        return cast(Prover, StandIn(says, context.store.folder.parent))

    def refused_but(name: str) -> Says:
        def says(file: Path, _: tuple[str, ...]) -> Answer:
            lines = file.read_text("utf-8").splitlines()
            places = [number for number, line in enumerate(lines, 1) if line == "    assert False"]
            heads = [lines[:place][-2] for place in places]
            said = [
                f"Assert might not hold. ({file.name}@{place}.4)"
                for place, head in zip(places, heads, strict=True)
                if f"{name}(" not in head
            ]
            return Answer(False, True, 0.1, tuple(said))

        return says

    told: list[tuple[int, int]] = []
    every = run.probes(
        {"causes"},
        [stand_in(refused_but("nothing"))],
        context.store,
        texts,
        lambda done, total, _: told.append((done, total)),
    )
    assert every == (3, 3, [])
    assert told == [(1, 1)]
    store = Store(context.store.folder / "other")
    total, refused, findings = run.probes(
        {"causes"}, [stand_in(refused_but("latched"))], store, texts
    )
    assert (total, refused, len(findings)) == (3, 2, 1)
    assert "latched" in findings[0]
    unread = stand_in(lambda *_: Answer(False, False, 0.1, ("no",)))
    assert run.probes({"causes"}, [unread], store, texts)[1] == 0


def test_without_the_prover_nothing_is_proved(tmp_path: Path) -> None:
    context = Context(FAST, tmp_path, Store(tmp_path / "store"), lambda *_: None)
    outcome = run.proofs(context)
    assert outcome.status == NOT_RUN
    assert "make env-proof" in outcome.detail


def test_the_outcome_holds_only_without_findings() -> None:
    assert run.outcome(FULL, {"proved": 2}, 3, 1, []).status == HOLDS
    assert run.outcome(FULL, {"proved": 2}, 3, 0, ["one is not proved"]).status == DOES_NOT_HOLD


def judged(rejected: int, total: int) -> list[controls.Judged]:
    return [controls.Judged(f"kernel.x.f#{n}", "a → b", n < rejected, "") for n in range(total)]


def test_control_too_many_living_mutants_are_a_finding() -> None:
    assert controls.findings(judged(32, 40)) == []
    (found,) = controls.findings(judged(31, 40))
    assert "31 of 40" in found
    assert "kernel.x.f#39" in found
    assert controls.figures(judged(31, 40)) == {"total": 40, "rejected": 31}
    named = controls.survivors([replace(judged(0, 1)[0], caught_by="tests/a.py::test_b")])
    assert named == ["kernel.x.f#0: a → b; killed by tests/a.py::test_b"]
    assert len(controls.survivors(judged(31, 40))) == 9


def test_control_a_mutant_that_was_not_read_is_no_control() -> None:
    unread = controls.Judged("kernel.x.f#99", "a → b", False, "", read=False)
    assert controls.figures([*judged(32, 40), unread]) == {"total": 40, "rejected": 32}
    assert controls.findings([*judged(32, 40), unread]) == []
    assert len(controls.survivors([*judged(32, 40), unread])) == 8
    (found,) = controls.findings([unread])
    assert "0 of 0" in found, "nothing read is nothing shown"


@pytest.mark.campaign
def test_the_controls_are_of_what_production_runs(whole: bool) -> None:
    ran = controls.production(sources(ROOT))
    assert {("step", "step"), ("gate", "entry_verdict"), ("fixed", "exp_down")} <= ran
    modules = {module for module, _ in ran}
    assert not {"invariants", "promises", "slotrules"} & modules
    assert not {module for module in modules if module.startswith("contract.")}
    if whole:  # all mutants of the kernel are made for it
        assert all(controls.place_of(one) in ran for one in controls.drawn(ROOT)[:100])


def test_control_what_is_not_proved_of_the_shipped_source_rejects_nothing(tmp_path: Path) -> None:
    refuses = StandIn(lambda *_: Answer(False, True, 0.1, ("might not hold",)), tmp_path)
    mutants = mutants_of(Path("kernel/slots.py"), ROOT)
    mutant = next(one for one in mutants if one.function == "flat")
    asked: list[controls.Job] = []

    def judged_where(proved: bool) -> controls.Judged:
        def said(job: controls.Job) -> bool:
            asked.append(job)
            return proved

        return controls.judge(mutant, sources(ROOT), cast(Prover, refuses), said)

    rejected = judged_where(proved=True)
    assert (rejected.rejected, rejected.by) == (True, "slots: might not hold")
    assert asked == [("slots", ("flat",))]
    assert not judged_where(proved=False).rejected
    assert len(asked) > 2, "who calls it is asked too"


def test_users_are_found_in_bodies_and_contracts(made: dict[str, Path]) -> None:
    users = controls.users_of("heartbeat_late", texts_of(made))
    assert users == {"causes": ("cause_active",)}
    assert "settle" in controls.users_of("switch_settled", texts_of(made))["killswitch"]
