"""The header: what it says where nobody said anything, and every account in the sum that is zero.

Not here: each wrong header by its sentence (``test_header_decisions``).
"""

import dataclasses

import pytest

from kernel.constants import Profile
from kernel.equity import drawdown
from kernel.state import Ledger
from tests.traces.samples import header_of
from traces.codec import Malformed
from traces.header import check_opening, header_bytes, new_header, read_header

HEADER = header_of(Profile.BIBLE)
LATER = Ledger(
    cash=24_000,
    contributed=-25_000,
    realised_pnl=700,
    fees=300,
    unrealised_pnl=0,
    equity_peak=25_000,
    drawdown_ppm=drawdown(25_000, 24_000),
)


@pytest.mark.req("JNL-015")
def test_a_header_of_which_nothing_was_said_promises_nothing() -> None:
    bare = new_header("s", HEADER.limits, HEADER.ledger, 0, 0)
    assert (bare.opened, bare.anchor_every, bare.anchor_key, bare.stand_ins) == ("", 0, "", {})


@pytest.mark.req("JNL-016")
def test_a_session_opens_with_the_profits_and_fees_of_those_before() -> None:
    header = new_header("s", HEADER.limits, LATER, 0, 0)
    assert read_header(header_bytes(header)) == header
    assert header.opening_state().ledger == LATER


@pytest.mark.req("JNL-016")
@pytest.mark.parametrize("account", ["contributed", "realised_pnl", "fees"])
def test_no_account_may_have_the_other_sign(account: str) -> None:
    for wrong in (-getattr(LATER, account), getattr(LATER, account) + 1):
        ledger = dataclasses.replace(LATER, **{account: wrong})
        with pytest.raises(Malformed) as caught:
            check_opening(dataclasses.replace(HEADER, ledger=ledger))
        assert str(caught.value) == "header: ledger: the accounts do not sum to zero"
