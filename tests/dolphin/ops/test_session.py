"""Whole sessions through the real process tree. Slow: each is minutes of market in seconds.

Not here: audit and report of what they leave (their own tests). Panels of ../shared/data are
skipped, saying so, where they are not there.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dolphin.ops.registry import running as sessions
from dolphin.ops.summary import bars_of, last_screen
from dolphin.ops.supervise import ROOT, survivors
from tests.dolphin.ops.trees import crawling, pids_of
from traces.frames import Tag, scan
from traces.reader import opened

pytestmark = [pytest.mark.slow, pytest.mark.spread]

DATA = ROOT.parent / "shared" / "data"
CRASH = DATA / "spot_close_5m_crash_202105.parquet"
DEADLINE_S = 60.0


def begin(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start a session in ``folder``."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "dolphin.cli", "run", "--json", "--no-check", "--no-audit"]
    return subprocess.Popen(
        [*command, "--no-report", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def played(process: subprocess.Popen[str], folder: Path) -> tuple[int, dict[str, Any], Path]:
    """Return the exit code, the document and the run of a session that was begun in ``folder``."""
    out, said = process.communicate(timeout=500)
    assert out, said
    document = json.loads(out)
    return process.returncode, document, folder / document["run"]


def test_the_built_in_session_shows_all_it_has_to(tmp_path: Path) -> None:
    """Under each profile, at the same time: their drills mostly wait."""
    asked = (("bible", 0), ("specification", 1))
    processes = [
        (begin(tmp_path / profile, "--profile", profile, "--seed", str(seed)), tmp_path / profile)
        for profile, seed in asked
    ]
    try:
        for process, folder in processes:
            shows_all(*played(process, folder))
    finally:
        for process, _folder in processes:
            process.kill()
            process.wait()


def shows_all(code: int, document: dict[str, Any], run: Path) -> None:
    """Check a session that played to its end against what it left."""
    missing = [one for one in document["shown"] if not one["ok"]]
    assert (code, missing) == (0, [])
    session = json.loads((run / "session.json").read_text())
    assert session["verdict"] == "PASS"
    pids = [one["pid"] for one in session["processes"]]
    assert len(pids) == 8
    assert survivors(pids) == []
    assert session["counts"]["entries_worker_0"] >= 20
    trades, cash = session["trades"], session["cash"]
    assert sum(trade["result"] for trade in trades) == cash["last"] - cash["first"]
    assert cash["last"] == session["ended_with"]["cash"] == session["venue"]["cash"]
    assert sum(trade["by"] == "alpha" for trade in trades) >= 20
    assert all("not said" not in (trade["entry_why"], trade["exit_why"]) for trade in trades)
    kills = [mark for mark in session["marks"] if mark["kind"] == "trip"]
    assert len(kills) == len(session["trips"])
    assert [mark["text"] for mark in kills if not mark["drill"]] == [], "nobody else killed"
    screen = "\n".join(last_screen(session, None, audit_asked=False, bars=bars_of(run)))
    assert "Session PASS" in screen
    assert f"{len(kills)}, all by drills" in screen
    with opened(run / "journal.bin") as data:
        assert list(scan(data))[-1].tag == Tag.CLOSE
    assert (run / "keys" / "permit.key").stat().st_mode & 0o777 == 0o600
    bars = pl.read_parquet(run / "bars.parquet")
    assert bars["bar"].to_list() == list(range(bars.height))
    assert bars["lunar_age_days"].null_count() == 0


@pytest.mark.skipif(not CRASH.exists(), reason=f"{CRASH} is not there")
def test_the_crash_is_met_in_hibernate_or_with_a_position(tmp_path: Path) -> None:
    process = begin(tmp_path, "--data", str(CRASH), "--windows", "12,36,72,144")
    code, _document, run = played(process, tmp_path)
    assert code == 0
    bars = pl.read_parquet(run / "bars.parquet").with_columns(
        time=pl.from_epoch("market_time_ms", time_unit="ms")
    )
    noon, two = pl.datetime(2021, 5, 19, 12), pl.datetime(2021, 5, 19, 14)
    crash = bars.filter((pl.col("time") >= noon) & (pl.col("time") <= two))
    refused = crash.filter(
        (pl.col("asked") == "entry") & ~pl.col("answer").is_in(["ok", "", "NO_ANSWER"])
    )
    held = crash.filter(pl.col("position") != 0)
    assert refused.height + held.height > 0


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A session under way; its runner is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dolphin.cli", "run", "--no-check", "--no-audit", "--no-report"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ask(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dolphin.cli", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_operator_kills_and_rearms_a_session_that_dies_with_its_runner(
    tmp_path: Path, running: subprocess.Popen[str]
) -> None:
    assert running.stderr is not None
    assert "bar" in running.stderr.readline()
    (session,) = sessions()
    # The drills' own kills and re-arms are hundreds of bars away, and stay there.
    with crawling(session.config):
        kill_and_rearm(tmp_path)
        pids = pids_of(session.config)
        assert len(pids) == 9
        running.send_signal(signal.SIGKILL)
        running.wait()
        await_ends(pids)
    done = ask(tmp_path, "status")
    assert done.returncode == 2
    assert "no session is running" in done.stderr
    assert not Path(session.config.sockets).exists(), "what it left was cleared away"


def await_ends(pids: list[int]) -> None:
    """Wait until none of the processes runs any more."""
    end = time.monotonic() + DEADLINE_S
    for pid in pids:
        try:
            ended = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        found, _, _ = select.select([ended], [], [], end - time.monotonic())
        os.close(ended)
        assert found, f"{survivors(pids)} outlived the runner"


def kill_and_rearm(folder: Path) -> None:
    """Do as an operator would who has one session, from its folder."""
    status = json.loads(ask(folder, "status", "--json").stdout)
    assert {"posture", "multiplier_ppm", "cat1_ppm", "capital_ppm", "causes"} <= status.keys()
    assert status["drills"] is True
    page = ask(folder, "status").stdout
    assert "a kill may be a drill" in " ".join(page.split())
    done = ask(folder, "kill", "--reason", "a test", "--operator", "tester", "--json")
    assert done.returncode == 0, done.stderr
    killed = json.loads(done.stdout)["status"]
    assert killed["killed"]
    assert "OPERATOR" in killed["causes"]
    assert (killed["posture"], killed["multiplier_ppm"]) == (0, 0)
    early = ask(folder, "rearm", "--confirm")
    assert early.returncode == 1
    assert "NO_REQUEST" in early.stderr
    end = time.monotonic() + DEADLINE_S
    while True:
        assert time.monotonic() < end, "the re-arm never came through"
        assert ask(folder, "rearm", "--request", "--reason", "a test").returncode in (0, 1)
        waited = ask(folder, "rearm", "--confirm", "--json")
        while "COOLING" in waited.stderr and time.monotonic() < end:
            waited = ask(folder, "rearm", "--confirm", "--json")
        if waited.returncode == 0:
            break
    assert json.loads(waited.stdout)["status"]["causes"] == []
