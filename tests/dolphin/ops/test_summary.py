"""The last screen: what ran and what it showed, in words, from the session's own document."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dolphin.ops.summary import Bars, bars_of, last_screen, next_steps

BARS = Bars(1_736_139_840_000, 1_736_331_780_000, 100_912)
TRADE: dict[str, Any] = {"fees": 2_500_000, "result": -1_000_000, "drill": ""}


def session(**changes: Any) -> dict[str, Any]:
    return {
        "id": "20261130-1", "verdict": "PASS", "reason": "", "profile": "bible", "seed": 7,
        "data": None, "counts": {"bars": 3200}, "refusals": {"COOLING": 2, "MALFORMED": 0},
        "shown": [{"name": "bars", "ok": True, "detail": ""}],
        "cash": {"first": 25_000_000_000, "last": 24_000_000_000},
        "ended_with": {"equity": 24_000_000_000},
        "trades": [TRADE, TRADE | {"result": 5, "drill": "lose"}, TRADE | {"result": None}],
        "marks": [
            {"kind": "trip", "text": "OPERATOR", "who": "ann", "why": "odd fills", "drill": ""},
            {"kind": "trip", "text": "DESYNC", "who": "", "why": "", "drill": "kill desync"},
            {"kind": "flatten", "text": "", "who": "", "why": "", "drill": ""},
        ],
    } | changes  # fmt: skip


def audit(**changes: Any) -> dict[str, Any]:
    held = {"ok": True, "records": 9, "intact": True, "replayed": True, "conformant": True}
    return held | changes


def screen(document: dict[str, Any], found: dict[str, Any] | None, asked: bool = True) -> list[str]:
    return last_screen(document, found, audit_asked=asked, bars=BARS)


def test_the_last_screen_says_what_ran_and_what_it_showed() -> None:
    text = "\n".join(screen(session(), audit()))
    for words in (
        "Session PASS   20261130-1, profile bible",
        "3,200 bars of a generated market (seed 7), 2025-01-06 05:04 to 2025-01-08 10:23 UTC",
        "25,000.00 → 24,000.00 USDT (−4.00 %), fees 7.50 among it; deepest drawdown 10.09 %",
        "3: 1 won, 1 lost, 1 still open; 1 of them by drills",
        "2, 1 of them by drills: OPERATOR (ann: odd fills), DESYNC",
        "refused 2 requests, for 1 of its 2 reasons",
        "1 of the 1 thing that this session had to show",
        "Audit PASS: 9 records intact",
    ):
        assert words in text, words


@pytest.mark.parametrize(
    ("found", "asked", "said"),
    [
        (None, False, "Audit NOT RUN: left out"),
        (None, True, "Audit NOT RUN: the audit gave no answer"),
        (audit(intact=False, ok=False), True, "Audit FAIL: the journal is damaged"),
        (audit(replayed=False, ok=False), True, "Audit FAIL: the kernel"),
        (audit(conformant=False, ok=False), True, "Audit FAIL: the journal holds a step"),
        (audit(conformant=None), True, "Audit NOT RUN in part"),
        (audit(ok=False), True, "Audit FAIL: the audit as a whole"),
    ],
)
def test_control_no_pass_without_the_audits_word(
    found: dict[str, Any] | None, asked: bool, said: str
) -> None:
    (line,) = [line for line in screen(session(), found, asked) if line.startswith("Audit")]
    assert line.startswith(said)
    assert "PASS" not in line


def test_an_operators_words_do_not_steer_the_terminal() -> None:
    why = "a\n\x1b[2J\u202e\u00e4"
    mark = {"kind": "trip", "text": "OPERATOR", "who": "ann", "why": why, "drill": ""}
    lines = screen(session(marks=[mark]), None)
    assert all(line.isprintable() for line in lines)
    assert any(r"(ann: a\n\x1b[2J\u202e\u00e4)".replace(r"\u00e4", "\u00e4") in x for x in lines)


def test_what_was_not_shown_and_why_it_broke_off_is_said() -> None:
    shown = [{"name": f"n{number}", "ok": False, "detail": "none"} for number in range(8)]
    text = "\n".join(screen(session(shown=shown, verdict="FAIL", reason="interrupted"), audit()))
    assert "Session FAIL" in text
    assert "aborted     interrupted" in text
    assert "not shown: n0 (none)" in text
    assert "and 2 more, in the report" in text


def test_a_session_that_did_not_end_has_no_result() -> None:
    text = "\n".join(screen(session(ended_with=None, trades=[], marks=[]), None))
    assert "not known: the session did not reach its end" in text
    assert "trades      none" in text
    assert "kills       none" in text


def test_bars_are_read_from_their_file(tmp_path: Path) -> None:
    assert bars_of(tmp_path) is None
    pl.DataFrame({"market_time_ms": [5, 9], "drawdown_ppm": [3, 2]}).write_parquet(
        tmp_path / "bars.parquet"
    )
    assert bars_of(tmp_path) == Bars(5, 9, 3)


def test_next_steps_lead_somewhere(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    good = "\n".join(next_steps(report, True, tmp_path))
    assert next_steps(report, True, tmp_path)[-1] == f"Report   {report}"
    assert "logs" not in good
    assert str(tmp_path / "logs") in "\n".join(next_steps(None, False, tmp_path))
