"""Every figure of the table of roles, and a budget where one token or one moment decides.

Not here: who may say what (``test_roles.py``).
"""

import pytest

from dolphin.shell.roles import ALL, NOBODY, PROBER, ROLES, TokenBucket


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
