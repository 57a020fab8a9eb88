"""Real sessions: two at once and the operator between them; ended by signals; panels that change.

Slow: each starts the real process tree. What is asked of two sessions at once is asked of both at
the same time. While an operator's commands are tried the market crawls (``crawling``), so that two
markets at full speed do not take the processors from what is tried.

Not here: what a whole session shows (``test_session``).
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dolphin.feed.market import generate
from dolphin.feed.panel import Panel
from dolphin.link.config import Config, load
from dolphin.ops.endings import Endings
from dolphin.ops.operator import OperatorClient
from dolphin.ops.preparation import Choices, market_for
from dolphin.ops.registry import home
from dolphin.ops.session import run_session
from dolphin.ops.supervise import ROOT
from tests.dolphin.ops.trees import crawling, pid_of
from traces.frames import Tag, scan
from traces.reader import opened

pytestmark = [pytest.mark.slow, pytest.mark.spread]

DEADLINE_S = 120.0
POLL_S = 0.02
WINDOWS = "20,60,120,300"
# A path that means something else to an ini file, a format and a shell.
ODD = "50% of a ;market 'x'"


def wide(market: Panel, path: Path) -> None:
    """Write a generated market as a panel."""
    columns = {name: market.closes[:, place] for place, name in enumerate(market.symbols)}
    pl.DataFrame({"timestamp": market.timestamps, **columns}).write_parquet(path)


def statuses(folder: Path) -> list[dict[str, Any]]:
    """What the running sessions say of themselves, the oldest first."""
    document = json.loads(ask(folder, "status", "--all", "--json").stdout)
    return [one["status"] for one in document["sessions"]]


def until_a_position_is_open(config: Config, process: subprocess.Popen[str]) -> None:
    """Wait for the alpha's, with a deadline that a busy machine does not meet by chance."""
    client = OperatorClient(config, DEADLINE_S)
    end = time.monotonic() + DEADLINE_S
    while client.status().slots[0].quantity == 0:
        assert time.monotonic() < end, "no position was ever open"
        with pytest.raises(subprocess.TimeoutExpired):  # it goes on meanwhile
            process.wait(POLL_S)


def ask(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run ``dolphin`` in ``folder``."""
    return subprocess.run(
        [sys.executable, "-m", "dolphin.cli", *words],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., list[subprocess.Popen[str]]]]:
    """Start sessions at once, each in a folder of its own; kill what is left of them."""
    started: list[subprocess.Popen[str]] = []
    panel = tmp_path / "panel.parquet"
    wide(generate(1, 12_000, 4, 60_000), panel)

    def begin(*names: str) -> list[subprocess.Popen[str]]:
        begun = []
        for name in names:
            (tmp_path / name).mkdir()
            words = ["run", "--no-check", "--no-audit", "--no-report", "--windows", WINDOWS]
            process = subprocess.Popen(
                [sys.executable, "-m", "dolphin.cli", *words, "--data", str(panel)],
                cwd=tmp_path / name, env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            started.append(process)
            begun.append(process)
        for process in begun:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert "bar" in line, line + process.stderr.read()
        return begun

    yield begin
    for process in started:
        process.kill()
        process.wait()


def config_of(folder: Path) -> Config:
    """The configuration of the session in ``folder``."""
    return load(folder / "runs" / "current")


def account(folder: Path) -> dict[str, Any]:
    """The account of the session in ``folder``."""
    found: dict[str, Any] = json.loads((folder / "runs" / "current" / "session.json").read_text())
    return found


def closed(folder: Path) -> bool:
    """Whether its journal was closed."""
    with opened(folder / "runs" / "current" / "journal.bin") as data:
        return list(scan(data))[-1].tag == Tag.CLOSE


def test_two_sessions_and_an_operator_who_means_one_or_all(
    tmp_path: Path, start: Callable[..., list[subprocess.Popen[str]]]
) -> None:
    """The kernel of the one that is killed alone is down, and is being started again."""
    # The second begins when the first plays: the oldest is first wherever they are listed.
    (older,) = start("older")
    with crawling(config_of(tmp_path / "older")):
        (newer,) = start(ODD)
        configs = [config_of(tmp_path / one) for one in ("older", ODD)]
        with crawling(configs[1]):
            tell_two(tmp_path, (older, newer), configs)
    older.send_signal(signal.SIGTERM)
    newer.send_signal(signal.SIGHUP)
    assert [process.wait(DEADLINE_S) for process in (older, newer)] == [1, 1]
    for folder, name in (("older", "SIGTERM"), (ODD, "SIGHUP")):
        made = account(tmp_path / folder)
        assert made["verdict"] == "FAIL"
        assert made["reason"] == f"ended by {name}; killed, and flat"
        assert closed(tmp_path / folder)
    assert not home().exists(), "nothing of them is left outside their folders"


def tell_two(
    tmp_path: Path, processes: tuple[subprocess.Popen[str], ...], configs: list[Config]
) -> None:
    """Name neither, one and both of two sessions that run."""
    names = [config.id for config in configs]
    assert names[0] != names[1], "a name belongs to one running session alone"

    listed = json.loads(ask(Path("/"), "status", "--json").stdout)["sessions"]
    assert [one["session"] for one in listed] == names, "from any folder, the oldest first"
    assert [one["pid"] for one in listed] == [process.pid for process in processes]
    assert [one["drills"] for one in listed] == [False, False]
    page = ask(Path("/"), "status").stdout
    assert "drills" in page
    assert all(name in page for name in names)

    unclear = ask(tmp_path / ODD, "kill", "--reason", "which?", "--json")
    assert (unclear.returncode, unclear.stdout) == (2, "")
    assert all(name in unclear.stderr for name in names)
    assert "--session NAME" in unclear.stderr
    assert not any("OPERATOR" in one["causes"] for one in statuses(tmp_path)), "none was killed"

    os.kill(pid_of(configs[0], "dolphin.shell"), signal.SIGKILL)
    one = ask(tmp_path / ODD, "kill", "--session", names[0], "--reason", "its kernel is down")
    assert one.returncode == 0, one.stderr
    assert one.stdout.startswith(f"{names[0]} killed (")
    assert "OPERATOR" in one.stdout
    assert ["OPERATOR" in one["causes"] for one in statuses(tmp_path)] == [True, False]
    assert ask(tmp_path, "rearm", "--request", "--reason", "which?").returncode == 2

    every = ask(tmp_path, "kill", "--all", "--json")
    assert every.returncode == 0, every.stderr
    killed = json.loads(every.stdout)
    assert [one["session"] for one in killed["sessions"]] == names
    assert all("OPERATOR" in one["status"]["causes"] for one in killed["sessions"])


def test_a_session_ended_by_a_signal_comes_flat_first(
    tmp_path: Path, start: Callable[..., list[subprocess.Popen[str]]]
) -> None:
    numbers = (signal.SIGTERM, signal.SIGINT)
    processes = start(*(number.name for number in numbers))
    for process, number in zip(processes, numbers, strict=True):
        until_a_position_is_open(config_of(tmp_path / number.name), process)
        process.send_signal(number)
    for process, number in zip(processes, numbers, strict=True):
        assert process.wait(DEADLINE_S) == 1
        made = account(tmp_path / number.name)
        assert (made["verdict"], made["reason"]) == (
            "FAIL",
            f"ended by {number.name}; killed, and flat",
        )
        assert "OPERATOR" in made["trips"][-1]["causes"]
        assert made["venue"]["quantities"] == [0] * 8
        bars = pl.read_parquet(tmp_path / number.name / "runs" / "current" / "bars.parquet")
        assert bars["bar"].to_list() == list(range(made["counts"]["bars"])), "what was played"
        assert closed(tmp_path / number.name)
    assert not home().exists()


def choices(panel: Path, out: Path) -> Choices:
    return Choices("bible", 0, (12, 36, 72, 180), str(panel), 0, out, ())


def test_a_panel_that_goes_between_judging_and_playing_is_not_played(tmp_path: Path) -> None:
    panel = tmp_path / "panel.parquet"
    wide(generate(1, 400, 4, 60_000), panel)
    asked = choices(panel, tmp_path / "runs")
    market = market_for(asked)
    panel.unlink()
    with Endings() as endings:
        made = run_session(asked, market, lambda _message: None, endings)
    assert made["verdict"] == "FAIL"
    assert made["reason"].startswith("the driver ended before the market did: ")
    assert "no such file" in made["reason"]
    assert made["data"]["sha256"] == market.sha256


def test_a_panel_that_goes_while_it_is_played_is_named_by_what_was_played(tmp_path: Path) -> None:
    panel = tmp_path / "panel.parquet"
    wide(generate(1, 400, 4, 60_000), panel)
    asked = choices(panel, tmp_path / "runs")
    market = market_for(asked)
    with Endings() as endings:
        made = run_session(asked, market, lambda _message: panel.unlink(missing_ok=True), endings)
    assert made["verdict"] == "PASS", made["reason"]
    assert made["data"] == {"path": str(panel), "sha256": market.sha256, "rows": 400}
    assert not panel.exists()
