"""A session opens in ``Inv``, on both sides: where the induction begins.

``step`` keeps ``Inv`` from any state that satisfies it (Nagini, and MCInductive by TLC). Here TLC
judges ``Init`` of ``Kernel.tla`` by every conjunct, and ``initial_state`` is judged at the ends of
its parameters' ranges.

Not here: each field of the initial state (``tests/kernel/test_initial_state.py``), the opening of a
journal (``TraceKernel.tla``, ``Opening``).
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from kernel.constants import CASH_MAX, Profile
from kernel.invariants import Inv
from kernel.state import initial_state, opening_ledger
from tests.kernel.sessions import limits_of
from verify.models.checking import SPEC_FOLDER
from verify.models.tlc import TlcRun, run_tlc

# The same with the deposit booked twice instead of once on either side.
BOOKED_TWICE = """KS!Init /\\ SV!Init /\\ PM!Init /\\ GT!Init
    /\\ cash = OpeningCash /\\ contributed = OpeningCash /\\ realised_pnl = Zero /\\ fees = Zero
    /\\ unrealised_pnl = Zero /\\ equity_peak = OpeningCash /\\ drawdown_ppm = 0"""


def opened(folder: Path, init: str, profile: str, grid: bool) -> TlcRun:
    """Let TLC judge a start by every invariant that the windows of MCInductive ask."""
    module = folder / "Opening.tla"
    module.write_text(
        "---- MODULE Opening ----\nEXTENDS MCInductive\n"
        f"OpeningSpec == ({init}) /\\ [][FALSE]_vars\n====\n"
    )
    text = (SPEC_FOLDER / "MCInductive.cfg").read_text()
    for line, other in (
        ("SPECIFICATION InductiveSpec\nACTION_CONSTRAINT OneStep", "SPECIFICATION OpeningSpec"),
        ('    profile = "bible"', f'    profile = "{profile}"'),
        ("    grid_in_use = FALSE", f"    grid_in_use = {str(grid).upper()}"),
    ):
        assert line in text
        text = text.replace(line, other)
    cfg = folder / "Opening.cfg"
    cfg.write_text(re.sub(r"(?ms)^PROPERTIES.*", "", text))
    return run_tlc(module, cfg, library=(SPEC_FOLDER,))


@pytest.mark.req("KRN-INIT-001", "KRN-INIT-002", "KRN-INIT-003")
@pytest.mark.parametrize(("profile", "grid"), [("bible", False), ("specification", True)])
def test_the_start_of_the_model_is_in_inv(profile: str, grid: bool, tmp_path: Path) -> None:
    run = opened(tmp_path, "Init", profile, grid)
    assert (run.result, run.distinct) == ("success", 1), run.message


@pytest.mark.req("KRN-INIT-001", "KRN-INIT-002", "KRN-INIT-003")
@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.parametrize("cash", [1, 2, CASH_MAX])
def test_a_session_opens_in_inv(profile: Profile, grid: bool, cash: int) -> None:
    limits = limits_of(profile, grid_in_use=grid)
    for process_time_ms, market_time_ms in ((0, 0), (5, 9), (10**13, 0), (0, 10**13)):
        assert Inv(initial_state(limits, opening_ledger(cash), process_time_ms, market_time_ms))


# --- it can fail ---------------------------------------------------------------------------------


def test_control_a_start_outside_inv_is_named_by_tlc(tmp_path: Path) -> None:
    assert opened(tmp_path, BOOKED_TWICE, "bible", grid=False).result == "AccountsSumToZero"


@pytest.mark.parametrize("name", ["contributed", "realised_pnl", "fees", "drawdown_ppm"])
def test_control_a_ledger_off_by_one_opens_outside_inv(name: str) -> None:
    ledger = opening_ledger(1_000)
    wrong = replace(ledger, **{name: getattr(ledger, name) + 1})
    assert not Inv(initial_state(limits_of(), wrong, 0, 0))
