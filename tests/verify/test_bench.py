"""The bench measures a session that trades, and says what it measured."""

import json

import pytest
from click.testing import CliRunner

from kernel.events import ReportFill, RequestOrder
from kernel.outcome import Accepted
from traces.schema import KINDS
from verify.bench import _header, command, session


def test_the_session_trades() -> None:
    steps = session(_header(), 3_000)
    assert len(steps) == 3_000
    accepted = [type(event) for _, event, outcome in steps if isinstance(outcome, Accepted)]
    assert len(accepted) > 2_950
    assert accepted.count(RequestOrder) > 20
    assert accepted.count(ReportFill) > 20
    assert {type(event) for _, event, _ in steps} <= {kind.event for kind in KINDS}


@pytest.mark.slow
def test_the_figures_stand_side_by_side() -> None:
    result = CliRunner().invoke(command, ["--records", "1000", "--json"])
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    for name in (
        "kernel_steps_per_s_bare",
        "kernel_steps_per_s_contracts",
        "journal_records_per_s",
        "audit_records_per_s_replay",
        "audit_records_per_s_tlc",
    ):
        assert data[name] > 0, name
    assert data["tlc_records"] == 1_000
    assert data["audit_ok"] is True
    assert {"machine", "commit", "command"} <= data.keys()
