"""Rights: the table says who may say what, and a test looks at every cell of it."""

import pytest

from dolphin.link.events import EVENTS
from dolphin.shell.roles import ALL, NOBODY, PROBER, ROLES, Role, TokenBucket, permitted
from kernel.events import (
    AdvanceTime,
    ClaimInstrument,
    Event,
    FailJournal,
    RecordHeartbeat,
    RestartKernel,
    RestoreJournal,
    TripKillSwitch,
)

BY_NAME = {role.name: role for role in ROLES}
WORKER = {"ClaimInstrument", "RequestOrder"}
MAY = {
    "operator": {
        "TripKillSwitch", "RequestRearm", "ConfirmRearm", "RequestPeakReset", "ConfirmPeakReset",
    },
    "guard": {"RecordHeartbeat", "ReportFill", "CloseOrder", "ConfirmFence", "ReconcileLedger"},
    "driver": {"RecordHeartbeat", "UpdateMark", "CloseBar"},
    "sensors": {
        "RecordHeartbeat", "ReportGrid", "ReportForewarner", "ReportBook", "ReportShock",
    },
    "alpha": {"RecordHeartbeat", *WORKER},
    "prober": WORKER,
}  # fmt: skip


def own(role: Role, cls: type[Event]) -> Event:
    """Return an event of ``cls`` with the fields that ``role`` may speak for."""
    values = {
        "partition": int(role.partition),
        "worker": role.workers[0] if role.workers else 0,
        "cause": 3,
        "quantities": (0,) * 8,
    }
    return cls(**{name: values.get(name, 1) for name in cls.__annotations__})


@pytest.mark.req("SHL-008")
@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_cell_of_the_table(role: Role, name: str) -> None:
    assert permitted(role, own(role, EVENTS[name])) == (name in MAY[role.name])


@pytest.mark.req("SHL-009")
def test_the_shells_own_events_are_nobodys() -> None:
    for cls in (AdvanceTime, FailJournal, RestoreJournal, RestartKernel):
        assert not any(cls in role.events for role in ROLES)


@pytest.mark.req("SHL-010")
@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_nobody_beats_anothers_heart(role: Role) -> None:
    for partition in range(4):
        heard = permitted(role, RecordHeartbeat(partition=partition))
        assert heard == (partition == role.partition)


@pytest.mark.req("SHL-010")
def test_every_partition_has_one_heart() -> None:
    assert sorted(role.partition for role in ROLES if role.partition >= 0) == [0, 1, 2, 3]


@pytest.mark.req("SHL-011")
def test_nobody_speaks_for_anothers_worker() -> None:
    for role in (BY_NAME["alpha"], BY_NAME["prober"]):
        for worker in range(8):
            claim = ClaimInstrument(worker=worker, instrument=1)
            assert permitted(role, claim) == (worker in role.workers)
    assert not set(BY_NAME["alpha"].workers) & set(BY_NAME["prober"].workers)


@pytest.mark.req("SHL-011")
def test_a_worker_that_is_none_is_left_to_the_kernel() -> None:
    assert permitted(BY_NAME["alpha"], ClaimInstrument(worker=8, instrument=1))
    assert permitted(BY_NAME["alpha"], ClaimInstrument(worker=-1, instrument=1))


@pytest.mark.req("SHL-012")
@pytest.mark.parametrize("cause", [0, 1, 2, 4])
def test_an_operator_kills_as_operator(cause: int) -> None:
    trip = TripKillSwitch(cause=cause, operator=1, reason=1)
    assert not permitted(BY_NAME["operator"], trip)


@pytest.mark.req("SHL-014")
def test_a_budget_runs_dry_and_comes_back() -> None:
    budget = TokenBucket(per_second=10, burst=3)
    assert budget.refill(100.0)
    assert [budget.spend() for _ in range(3)] == [True, True, False]
    assert not budget.refill(100.05)
    assert budget.refill(100.2)
    assert budget.refill(1000.0)
    assert [budget.spend() for _ in range(3)] == [True, True, False], "never more than the burst"


@pytest.mark.req("SHL-015")
def test_a_budget_is_not_refilled_by_a_clock_that_runs_backwards() -> None:
    budget = TokenBucket(per_second=10, burst=1)
    budget.refill(100.0)
    budget.spend()
    assert not budget.refill(99.0)


# --- every figure of the table, and where one token or one moment decides ------------------------


@pytest.mark.req("SHL-007", "SHL-010", "SHL-011", "SHL-014")
def test_every_figure_of_the_table_of_roles() -> None:
    assert NOBODY == -1
    assert ALL == (0, 1, 2, 3, 4, 5, 6, 7)
    assert PROBER == (2, 3, 4, 5, 6, 7)
    rows = [
        (role.name, int(role.partition), role.workers, role.per_second, role.burst, role.clients)
        for role in ROLES
    ]
    assert rows == [
        ("operator", -1, (), 1000, 200, 8),
        ("guard", 1, (0, 1, 2, 3, 4, 5, 6, 7), 5000, 2000, 1),
        ("driver", 2, (), 20000, 4000, 1),
        ("sensors", 3, (), 2000, 500, 1),
        ("alpha", 0, (0,), 1000, 200, 1),
        ("prober", -1, (2, 3, 4, 5, 6, 7), 500, 100, 1),
    ]


@pytest.mark.req("SHL-014")
def test_one_whole_token_is_a_token() -> None:
    assert TokenBucket(per_second=1, burst=1).refill(0.0)


@pytest.mark.req("SHL-014", "SHL-015")
def test_a_budget_earns_from_time_zero_on() -> None:
    budget = TokenBucket(per_second=1, burst=2)
    assert budget.spend()
    assert not budget.spend()
    assert not budget.refill(0.5)
    assert budget.refill(1.0)
