"""The command line: one line and a code for every mistake, and nothing left behind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from dolphin.cli import COMMANDS, main
from dolphin.feed.market import generate
from dolphin.ops.market import lot_ppm_of, price_of
from dolphin.ops.supervise import ROOT
from kernel.constants import PRICE_MAX


def dolphin(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run ``dolphin`` as a user would, in ``folder``."""
    return subprocess.run(
        [sys.executable, "-m", "dolphin.cli", *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_an_unknown_command_is_bad_input() -> None:
    result = CliRunner().invoke(main, ["swim"])
    assert result.exit_code == 2
    assert "No such command 'swim'" in result.output


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.output for name in COMMANDS)


@pytest.mark.parametrize(
    "words",
    [
        ("kill", "--reason", "x"),
        ("rearm", "--request", "--reason", "x"),
        ("rearm", "--confirm"),
        ("reset-peak", "--confirm"),
        ("status",),
        ("status", "--json"),
        ("status", "--session", "nowhere"),
    ],
)
def test_without_a_session_there_is_one_line_and_exit_2(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = dolphin(tmp_path, *words)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "session" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("rearm",), "--request and --confirm"),
        (("rearm", "--request", "--confirm"), "--request and --confirm"),
        (("rearm", "--request"), "--reason"),
        (("run", "--windows", "20"), "--windows"),
        (("run", "--windows", "60,20"), "--windows"),
        (("run", "--windows", "a,b"), "--windows"),
        (("run", "--data", "nothing.parquet"), "nothing.parquet"),
    ],
)
def test_a_mistake_is_named_in_one_line(tmp_path: Path, words: tuple[str, ...], named: str) -> None:
    done = dolphin(tmp_path, *words)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert named in done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing is written"


def test_a_panel_that_is_none_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"not a panel")
    done = dolphin(tmp_path, "run", "--data", "bad.parquet", "--json")
    assert done.returncode == 2
    assert "bad.parquet" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bad.parquet"]


def test_a_stale_session_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    folder = tmp_path / "runs" / "old"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"id": "old"}))
    done = dolphin(tmp_path, "status", "--session", str(folder))
    assert done.returncode == 2
    assert "no session lies there" in done.stderr


def test_a_lot_costs_one_to_ten_and_fits_the_kernel() -> None:
    panel = generate(0, 400, 16, 60_000)
    for position, lot in enumerate(lot_ppm_of(panel)):
        price = price_of(float(panel.closes[0, position]), lot)
        assert price is not None
        assert 1_000_000 <= price < 10_000_000 or lot == 1
    assert price_of(float("nan"), 100) is None
    assert price_of(1e30, 100) is None
    assert price_of(PRICE_MAX / 100, 100) == PRICE_MAX
    assert price_of(1e-9, 1) is None
