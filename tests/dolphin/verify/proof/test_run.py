"""The runner of the proofs: what it counts, what it keeps, what it does not believe.

The prover itself takes minutes; here a stand-in answers, so that the runner's own faults show. The
real one is run by ``dolphin verify``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from dolphin.verify.item import DOES_NOT_HOLD, FAST, FULL, HOLDS, NOT_RUN, Context
from dolphin.verify.proof import controls, run
from dolphin.verify.proof.generate import generate
from dolphin.verify.proof.prover import Answer, Prover
from dolphin.verify.store import Store

ROOT = Path(__file__).resolve().parents[4]
Says = Callable[[Path, tuple[str, ...]], Answer]

PROVED = Answer(True, True, 0.1, ())
REFUSED = Answer(False, True, 0.1, ("Postcondition of f might not hold.",))


class StandIn:
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self, says: Says) -> None:
        self.says = says
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def prove(self, file: Path, select: tuple[str, ...] = (), query_ms: int = 0) -> Answer:
        self.asked.append((file.stem, select))
        return self.says(file, select)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(FULL, ROOT, Store(tmp_path / "store"), lambda *_: None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return generate(ROOT, tmp_path_factory.mktemp("proof"))


def texts_of(made: dict[str, Path]) -> dict[str, str]:
    return {module: file.read_text("utf-8") for module, file in made.items()}


def tried(
    context: Context, made: dict[str, Path], says: Says
) -> tuple[StandIn, int, list[str], list[run.Job]]:
    planned = [
        job for job in run.jobs(made, run.listed(ROOT), set(), FULL) if job.module in ("causes",)
    ]
    prover = StandIn(says)
    proved, findings = run.proved_of(
        context, planned, cast(Prover, prover), context.store, texts_of(made)
    )
    return prover, proved, findings, planned


def test_every_function_is_in_one_job(made: dict[str, Path]) -> None:
    names = run.listed(ROOT)
    planned = list(run.jobs(made, names, {"kernel.slots.put"}, FULL))
    found = [f"{job.module}.{each}" for job in planned for each in job.functions]
    wanted = {f"{module}.{each}" for module in names if module in made for each in names[module]}
    assert len(found) == len(set(found))
    assert set(found) == wanted - {"slots.put"}


def test_a_proof_is_kept_and_not_run_again(context: Context, made: dict[str, Path]) -> None:
    prover, proved, findings, planned = tried(context, made, lambda *_: PROVED)
    assert (proved, findings) == (len(planned[0].functions), [])
    assert len(prover.asked) == 1
    prover, again, _, _ = tried(context, made, lambda *_: REFUSED)
    assert (again, prover.asked) == (proved, [])


def test_control_a_failure_is_named_and_never_kept(context: Context, made: dict[str, Path]) -> None:
    def says(_: Path, select: tuple[str, ...]) -> Answer:
        return PROVED if select and select != ("latched",) else REFUSED

    for _ in range(2):
        _, proved, findings, planned = tried(context, made, says)
        assert proved == len(planned[0].functions) - 1
        assert findings == [
            "kernel/causes.py: latched is not proved: Postcondition of f might not hold."
        ]


def test_the_key_moves_with_whatever_is_imported(made: dict[str, Path]) -> None:
    texts = texts_of(made)
    before = run.key_for(ROOT, "answers", ("on_time",), texts)
    assert before == run.key_for(ROOT, "answers", ("on_time",), texts)
    for module in ("constants", "survival", "slots_contract", "answers"):
        changed = {**texts, module: texts[module] + "\nX = 1\n"}
        assert run.key_for(ROOT, "answers", ("on_time",), changed) != before
    outside = {**texts, "step": texts["step"] + "\nX = 1\n"}
    assert run.key_for(ROOT, "answers", ("on_time",), outside) == before


def test_control_a_contract_that_contradicts_itself_is_named(
    context: Context, made: dict[str, Path]
) -> None:
    """A probe that is not refused is a finding; so is a probe that the prover could not read."""
    texts = texts_of(made)

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

    every = run.probes(
        ROOT, made, {"causes"}, cast(Prover, StandIn(refused_but("nothing"))), context.store, texts
    )
    assert every == (3, 3, [])
    store = Store(context.store.folder / "other")
    total, refused, findings = run.probes(
        ROOT, made, {"causes"}, cast(Prover, StandIn(refused_but("latched"))), store, texts
    )
    assert (total, refused, len(findings)) == (3, 2, 1)
    assert "latched" in findings[0]
    unread = cast(Prover, StandIn(lambda *_: Answer(False, False, 0.1, ("no",))))
    assert run.probes(ROOT, made, {"causes"}, unread, store, texts)[1] == 0


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
    assert len(controls.survivors(judged(31, 40))) == 9


def test_users_are_found_in_bodies_and_contracts(made: dict[str, Path]) -> None:
    users = controls.users_of("heartbeat_late", texts_of(made))
    assert users == {"causes": ("cause_active",)}
    assert "settle" in controls.users_of("switch_settled", texts_of(made))["killswitch"]
