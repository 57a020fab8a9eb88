"""The account: what was shown, and to whom a demotion belongs."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from certification.collectors.session import NEEDED
from dolphin.link.config import Config, load
from dolphin.ops.collect import ACCOUNTS, FILES, SENSORS, collect, demotions, judge, recovered_after
from kernel.outcome import Reason
from tests.traces.samples import sample


def bar(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "bar": number,
        "market_time_ms": number * 60_000,
        "posture": 3,
        "killed": False,
        "structural_ppm": 1_000_000,
        "micro_ppm": 1_000_000,
        "environment_ppm": 1_000_000,
        "capital_ppm": 973_403,
    } | changes


def test_a_demotion_belongs_to_the_factor_that_fell() -> None:
    for factor, sensor in SENSORS.items():
        bars = [bar(0), bar(1), bar(2, **{factor: 700_000}), bar(3, posture=1, **{factor: 700_000})]
        (found,) = demotions(pl.DataFrame(bars), [])
        assert (found["bar"], found["sensor"], found["from"], found["to"]) == (3, sensor, 3, 1)


def test_a_kill_and_a_restart_are_no_sensors_demotion() -> None:
    bars = pl.DataFrame([bar(0), bar(1, posture=0, killed=True), bar(2, posture=0)])
    assert demotions(bars, []) == []
    bars = pl.DataFrame([bar(0), bar(1, posture=0)])
    assert len(demotions(bars, [])) == 1
    for kind in ("trip", "restart"):
        mark = {"market_time_ms": 0, "kind": kind, "text": ""}
        assert demotions(bars, [mark]) == []


def test_recovery_is_apex_after_the_moment_asked_for() -> None:
    bars = pl.DataFrame([bar(0), bar(1, posture=0), bar(2, posture=2), bar(3)])
    assert recovered_after(bars, 0) == 3
    assert recovered_after(bars, 3 * 60_000) is None


def config(**changes: Any) -> Config:
    values: dict[str, Any] = {
        "id": "x", "folder": "/nowhere", "sockets": "/nowhere", "profile": "bible", "seed": 0,
        "windows": (5, 10), "data": None, "bars": 4, "lead_bars": 0, "bar_ms": 60_000,
        "market_time_ms": 0, "symbols": ("BTCUSDT",), "lot_ppm": (100,), "cash": 1,
        "heartbeat_limit_ms": (1,) * 4, "cooling_ms": 1, "confirm_window_ms": 1, "bar_ms_min": 1,
        "book_stale_ms": 1, "permit_ms": 1, "tick_ms": 1, "deadline_ms": 1, "stand_ins": {},
        "demonstration": True,
    }  # fmt: skip
    return Config(**(values | changes))


def test_what_did_not_happen_is_not_shown() -> None:
    empty: dict[str, Any] = {"counts": {}, "refusals": {}, "trips": [], "marks": []}
    shown = judge(config(), empty, {}, pl.DataFrame([bar(number) for number in range(4)]))
    by_name = {one["name"]: one["ok"] for one in shown}
    assert by_name.pop("bars") is True
    assert by_name.pop("posture APEX") is True
    assert not any(by_name.values()), by_name
    names = {name.removeprefix("refusal ") for name in by_name if name.startswith("refusal ")}
    assert names == {reason.name for reason in Reason} - {"LIMIT_ONLY", "MARKET_TIME_AHEAD"}


def test_a_panel_has_only_to_be_played_to_its_end() -> None:
    bars = pl.DataFrame([bar(number) for number in range(4)])
    played = judge(config(demonstration=False, data="x"), {}, {}, bars)
    assert [(one["name"], one["ok"]) for one in played] == [("bars", True)]
    cut = judge(config(demonstration=False, data="x"), {}, {}, bars.head(3))
    assert [(one["name"], one["ok"]) for one in cut] == [("bars", False)]
    none = judge(config(), {}, {}, None)
    assert [(one["name"], one["ok"]) for one in none] == [("bars", False)]


def account_of(run: Path, broken: str = "") -> dict[str, Any]:
    made = config(folder=str(run), demonstration=False)
    return collect(
        made, command=(), started="", processes=[], how="", broken=broken, rows=0
    )  # fmt: skip


def test_a_session_without_a_journal_has_an_account_that_says_so(tmp_path: Path) -> None:
    made = account_of(tmp_path)
    assert made["verdict"] == "FAIL"
    assert made["reason"] == "journal: cannot be read: No such file or directory"
    assert json.loads((tmp_path / "session.json").read_text()) == json.loads(json.dumps(made))
    assert account_of(tmp_path, "the kernel ended")["reason"] == "the kernel ended"


def test_a_process_that_left_no_account_is_named(tmp_path: Path) -> None:
    path = sample(tmp_path / "journal.bin", 1, 3)
    assert path.exists()
    for name in ACCOUNTS:
        (tmp_path / f"{name}.json").write_text('{"counts": {}}')
    made = account_of(tmp_path)
    assert "no account" not in made["reason"]
    # Taken away afterwards, each is missed by its hash: the report compares the folder with these.
    assert set(made["artefacts"]) >= {f"{name}.json" for name in ACCOUNTS} | {"journal.bin"}
    (tmp_path / "kernel.json").unlink()
    (tmp_path / "guard.json").write_text("{")
    assert account_of(tmp_path)["reason"] == "no account of the kernel, the guard"


def test_the_report_asks_for_the_hash_of_every_file_that_a_session_leaves() -> None:
    assert set(NEEDED) == {*FILES, *(f"{name}.json" for name in ACCOUNTS)}


def test_the_configuration_comes_back_from_its_file(tmp_path: Path) -> None:
    made = config(folder=str(tmp_path))
    made.save()
    assert load(tmp_path) == made
    assert (tmp_path / "config.json").stat().st_mode & 0o777 == 0o600
