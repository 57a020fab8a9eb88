"""Every name under which a reader finds a part of the state.

Not here: what the parts are worth (``test_core_rest.py``).
"""

import pytest

from dolphin.shell.snapshot import snapshot
from kernel.state import initial_state, opening_ledger
from tests.dolphin.shell.conftest import LIMITS

NAMES = [
    "market_time_ms", "process_time_ms", "posture", "effective", "multiplier_ppm", "target_ppm",
    "cat1_ppm", "structural_ppm", "micro_ppm", "environment_ppm", "capital_ppm", "killed",
    "causes", "operator_request", "operator_request_age_ms", "journal_writable", "fence_epoch",
    "fence_confirmed", "flat", "ceiling", "cash", "equity", "capital", "equity_peak",
    "drawdown_ppm", "fees", "open_notional", "reserved_notional", "slots",
]  # fmt: skip


@pytest.mark.req("SHL-024")
def test_a_snapshot_names_its_parts() -> None:
    shown = snapshot(initial_state(LIMITS, opening_ledger(7), 1, 2))
    assert list(shown) == NAMES
    assert (shown["open_notional"], shown["reserved_notional"], shown["cash"]) == (0, 0, 7)
