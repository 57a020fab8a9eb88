"""A header that no session could open with, one case each; and what a header says by itself.

Each case changes one thing of a sound body; the sentence is compared whole.
"""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from kernel.constants import CASH_MAX, Profile
from kernel.equity import drawdown
from kernel.state import Ledger
from tests.traces.samples import header_of
from traces.codec import Malformed, canonical
from traces.header import check_opening, header_bytes, new_header, read_header

HEADER = header_of()
BODY = header_bytes(HEADER)
FIELDS = sorted(json.loads(BODY))
Change = Callable[[dict[str, Any]], object]


def changed(change: Change) -> bytes:
    """The sound header's body with one change, canonical again."""
    data = json.loads(BODY)
    change(data)
    return canonical(data)


def sentence(body: bytes) -> str:
    """What is said of a header that is refused."""
    with pytest.raises(Malformed) as caught:
        read_header(body)
    return str(caught.value)


@pytest.mark.req("JNL-015", "JNL-016")
def test_a_sound_header_comes_back_whole() -> None:
    assert read_header(BODY) == HEADER
    assert read_header(BODY).opening_state() == HEADER.opening_state()


@pytest.mark.req("JNL-015")
def test_a_header_names_stand_ins_or_none() -> None:
    bare = new_header("s", HEADER.limits, HEADER.ledger, 0, 0)
    assert bare.stand_ins == {}
    named = new_header("s", HEADER.limits, HEADER.ledger, 0, 0, stand_ins={"book": "bars"})
    assert named.stand_ins == {"book": "bars"}


LIMITS = sorted(json.loads(BODY)["limits"])
LEDGER = sorted(json.loads(BODY)["ledger"])
REFUSED: list[tuple[Change, str]] = [
    (lambda d: d.pop("session"),
     f"header: {[n for n in FIELDS if n != 'session']}; expected fields {FIELDS}"),
    (lambda d: d.update(colour="red"),
     f"header: {sorted([*FIELDS, 'colour'])}; expected fields {FIELDS}"),
    (lambda d: d.update(session=3), "header: session is 3; expected str"),
    (lambda d: d.update(process_time_ms=True), "header: process_time_ms is True; expected int"),
    (lambda d: d.update(limits=[]), f"header: limits: list; expected fields {LIMITS}"),
    (lambda d: d["limits"].update(live=1), "header: limits: live is 1; expected bool"),
    (lambda d: d["limits"].update(profile="X"),
     "header: profile is 'X'; expected one of BIBLE, SPECIFICATION"),
    (lambda d: d["limits"].update(heartbeat_limit_ms=4),
     "header: heartbeat_limit_ms: four integers expected"),
    (lambda d: d["limits"].update(heartbeat_limit_ms=[1, 1, 1]),
     "header: heartbeat_limit_ms: four integers expected"),
    (lambda d: d["limits"].update(heartbeat_limit_ms=[1, 1, 1, True]),
     "header: heartbeat_limit_ms: four integers expected"),
    (lambda d: d.update(ledger=None), f"header: ledger: NoneType; expected fields {LEDGER}"),
    (lambda d: d["ledger"].update(cash="1"), "header: ledger: cash is '1'; expected int"),
    (lambda d: d.update(stand_ins=[]), "header: stand_ins: names of sensors and texts expected"),
    (lambda d: d.update(stand_ins={"book": 1}),
     "header: stand_ins: names of sensors and texts expected"),
]  # fmt: skip


@pytest.mark.req("JNL-016")
@pytest.mark.parametrize(("change", "expected"), REFUSED, ids=[text for _, text in REFUSED])
def test_a_header_with_one_thing_wrong_is_refused_by_name(change: Change, expected: str) -> None:
    assert sentence(changed(change)) == expected


@pytest.mark.req("JNL-016")
def test_a_header_is_an_object_in_canonical_json() -> None:
    assert sentence(b"{") == "header: not JSON"
    assert sentence(b"\xff") == "header: not JSON"
    assert sentence(b"[]") == f"header: list; expected fields {FIELDS}"
    assert sentence(BODY + b" ") == "header: not canonical JSON"
    surrogate = BODY.replace(b'"sample"', b'"\\ud800"')
    assert sentence(surrogate) == "header: values out of range"


def ledger(**values: int) -> Change:
    """A change of the opening ledger; what is contributed follows the cash."""
    whole = {"contributed": -values["cash"], **values} if "cash" in values else values
    return lambda data: data["ledger"].update(whole)


CASH = HEADER.ledger.cash
OPENINGS: list[tuple[Change, str]] = [
    (ledger(fees=1), "header: ledger: the accounts do not sum to zero"),
    (ledger(cash=0), f"header: ledger: cash is 0; expected 1..{CASH_MAX}"),
    (ledger(cash=CASH_MAX + 1),
     f"header: ledger: cash is {CASH_MAX + 1}; expected 1..{CASH_MAX}"),
    (ledger(unrealised_pnl=1), "header: ledger: a session opens flat; unrealised_pnl is not 0"),
    (ledger(equity_peak=CASH - 1), "header: ledger: the peak is below the cash"),
    (ledger(equity_peak=2 * CASH),
     "header: ledger: drawdown_ppm does not follow from peak and cash"),
]  # fmt: skip


@pytest.mark.req("JNL-016")
@pytest.mark.parametrize(("change", "expected"), OPENINGS, ids=[text for _, text in OPENINGS])
def test_a_ledger_that_no_session_opens_with_is_refused(change: Change, expected: str) -> None:
    assert sentence(changed(change)) == expected


@pytest.mark.req("JNL-016")
@pytest.mark.parametrize("cash", [1, CASH_MAX])
def test_the_least_and_the_greatest_cash_open(cash: int) -> None:
    body = changed(ledger(cash=cash, equity_peak=cash, drawdown_ppm=0))
    assert read_header(body).ledger.cash == cash


@pytest.mark.req("JNL-016")
def test_a_loss_of_an_earlier_session_opens_with_its_drawdown() -> None:
    body = changed(ledger(equity_peak=2 * CASH, drawdown_ppm=drawdown(2 * CASH, CASH)))
    assert read_header(body).ledger.drawdown_ppm == 500_000


# --- what it says where nobody said anything -----------------------------------------------------


OPENED = header_of(Profile.BIBLE)
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
    bare = new_header("s", OPENED.limits, OPENED.ledger, 0, 0)
    assert (bare.opened, bare.anchor_every, bare.anchor_key, bare.stand_ins) == ("", 0, "", {})


@pytest.mark.req("JNL-016")
def test_a_session_opens_with_the_profits_and_fees_of_those_before() -> None:
    header = new_header("s", OPENED.limits, LATER, 0, 0)
    assert read_header(header_bytes(header)) == header
    assert header.opening_state().ledger == LATER


@pytest.mark.req("JNL-016")
@pytest.mark.parametrize("account", ["contributed", "realised_pnl", "fees"])
def test_no_account_may_have_the_other_sign(account: str) -> None:
    for wrong in (-getattr(LATER, account), getattr(LATER, account) + 1):
        ledger = dataclasses.replace(LATER, **{account: wrong})
        with pytest.raises(Malformed) as caught:
            check_opening(dataclasses.replace(OPENED, ledger=ledger))
        assert str(caught.value) == "header: ledger: the accounts do not sum to zero"
