"""The command line: one line and a code for every mistake, and nothing left behind."""

import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import structs

from dolphin.cli import COMMANDS, main
from dolphin.feed.market import generate
from dolphin.feed.session_market import lot_ppm_of, price_of
from dolphin.link.messages import WORDS_MAX
from dolphin.ops.operator import age, named, words
from dolphin.ops.preparation import Choices, Market, Unwritable, prepare, too_short
from dolphin.ops.registry import HOME_VARIABLE, Place, Running
from dolphin.ops.supervise import ROOT
from kernel.constants import PRICE_MAX
from tests.dolphin.ops.test_collect import config


def dolphin(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run ``dolphin`` as a user would, in ``folder``."""
    return subprocess.run(
        [sys.executable, "-m", "dolphin.cli", *words],
        cwd=folder,
        env={
            "PYTHONPATH": str(ROOT),
            "PATH": "/usr/bin:/bin",
            HOME_VARIABLE: os.environ[HOME_VARIABLE],
        },
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
        ("kill",),
        ("kill", "--all"),
        ("kill", "--reason", "\udcff" * 3, "--operator", "\udcfe"),
        ("kill", "--reason", "w" * 100_000),
        ("kill", "--session", "\udcff"),
        ("status", "--all"),
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


LONG = "x" * 5_000  # no file's name may be so long


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("rearm",), "--request and --confirm"),
        (("rearm", "--request", "--confirm"), "--request and --confirm"),
        (("rearm", "--request"), "--reason"),
        (("kill", "--all", "--session", "x"), "--session and --all"),
        (("status", "--all", "--session", "x"), "--session and --all"),
        (("run", "--windows", "20"), "--windows"),
        (("run", "--data", "x.parquet", "--seed", "0"), "--seed"),
        (("run", "--data", "x.parquet", "--bars", "3200"), "--bars"),
        (("run", "--bars", "600"), "expected at least 2550"),
        (("run", "--out", "/proc/x/y"), "/proc/x/y"),
        (("run", "--out", "/dev/null/x"), "/dev/null/x"),
        (("run", "--out", "a\nb"), "line break"),
        (("run", "--out", "\udcff"), "not UTF-8"),
        (("run", "--windows", "60,20"), "--windows"),
        (("run", "--windows", "a,b"), "--windows"),
        (("run", "--data", "nothing.parquet"), "nothing.parquet"),
        (("run", "--windows", ""), "--windows"),
        (("run", "--windows", "\u0665,\u0666\u0667"), "--windows"),
        (("run", "--windows", "5,99999999999999999999999"), "--windows"),
        (("run", "--windows", "5,999999999"), "expected at most 1000000"),
        (("run", "--bars", "99999999999"), "expected at most 1000000"),
        (("run", "--data", LONG), "name too long"),
        (("run", "--out", LONG), "name too long"),
        (("audit", LONG), "name too long"),
        (("audit", "/"), "a folder"),
        (("audit", "/dev/null"), "not a file"),
        (("certify", LONG), "no such run"),
        (("certify", "."), "not a run"),
        (("verify", "--record", "--list"), "--record"),
        (("verify", "--record", "--json"), "--record"),
        (("verify", "--record", "--from", "."), "not a checkout of this project"),
        (("verify", "--record", "--from", "nowhere"), "nowhere"),
    ],
)
def test_a_mistake_is_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, words, prog_name="dolphin")
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit), "not a traceback"
    assert len(done.stderr.splitlines()) == 1
    assert named.lower() in done.stderr.lower()
    assert list(tmp_path.iterdir()) == [], "nothing is written"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("rearm", "--request"), "--reason"),
        (("run", "--bars", "600"), "expected at least 2550"),
        (("run", "--out", "\udcff"), "not UTF-8"),
        (("run", "--windows", "\u0665,\u0666\u0667"), "--windows"),
        (("audit", LONG), "name too long"),
        (("verify", "--record", "--list"), "--record"),
    ],
)
def test_a_mistake_is_named_in_one_line_by_the_program_itself(
    tmp_path: Path, words: tuple[str, ...], named: str
) -> None:
    done = dolphin(tmp_path, *words)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert named.lower() in done.stderr.lower()
    assert list(tmp_path.iterdir()) == [], "nothing is written"


def test_a_link_that_leads_to_itself_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to("round")
    done = dolphin(tmp_path, "run", "--out", "round")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "a link that leads to itself" in line


@pytest.mark.parametrize("kind", ["a file", "a link to a file", "a link to nothing"])
def test_an_out_that_is_no_folder_is_named_and_left_alone(tmp_path: Path, kind: str) -> None:
    out, target = tmp_path / "out", tmp_path / "target"
    if kind != "a link to nothing":
        target.write_text("precious")
    if kind == "a file":
        target.rename(out)
    else:
        out.symlink_to(target)
    before = sorted(one.name for one in tmp_path.iterdir())
    done = dolphin(tmp_path, "run", "--out", "out")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()[-1:]
    assert line.startswith("dolphin run: --out out: is ")
    assert line.endswith("; expected a folder")
    assert sorted(one.name for one in tmp_path.iterdir()) == before
    assert out.is_symlink() or out.read_text() == "precious"


def test_a_package_that_is_not_installed_is_said_in_one_line(tmp_path: Path) -> None:
    code = "import sys; sys.modules['msgspec'] = None; from dolphin.cli import main; main()"
    words = (sys.executable, "-c", code, "status")
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "the Python package msgspec is not installed" in line
    assert "make env" in line


def test_a_panel_whose_name_is_not_utf8_is_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "p\udcff.parquet").write_bytes(b"PAR1")
    done = dolphin(tmp_path, "run", "--data", "p\udcff.parquet")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "not UTF-8" in line


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
    assert "none lies there" in done.stderr


def test_a_lot_costs_one_to_ten_and_fits_the_kernel() -> None:
    panel = generate(0, 400, 16, 60_000)
    for position, lot in enumerate(lot_ppm_of(panel)):
        price = price_of(float(panel.closes[0, position]), lot)
        assert price is not None
        assert 1_000_000 <= price < 10_000_000 or lot == 1
    assert price_of(float("nan"), 100) is None
    assert price_of(PRICE_MAX / 100, 100) == PRICE_MAX
    for close, lot in ((1e30, 100), (1e-9, 1)):
        with pytest.raises(ValueError, match="outside the kernel's range"):
            price_of(close, lot)


def test_a_session_has_enough_bars_for_its_drills_or_is_refused() -> None:
    for seed in range(8):
        asked = Choices("bible", seed, (20, 60, 120, 300), None, 600, Path("runs"), ())
        found = re.search(r"expected at least (\d+)", too_short(asked))
        assert found is not None
        assert too_short(replace(asked, bars=int(found[1]))) == ""
        assert too_short(replace(asked, bars=3_200)) == ""
    assert too_short(replace(asked, data="a panel")) == ""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
def test_a_disk_without_room_is_said_at_once_and_nothing_is_left(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], check=True)
    try:
        done = dolphin(tmp_path, "run", "--out", str(disk / "deep" / "runs"))
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert "No space left on device" in done.stderr
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_two_sessions_that_begin_at_once_have_two_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tempfile.mkdtemp(prefix="dolphin-names-")
    monkeypatch.setenv(HOME_VARIABLE, home)
    panel = generate(1, 400)
    places = [Place(), Place()]
    try:
        with ThreadPoolExecutor(2) as threads:
            made = threads.map(
                lambda number: prepare(
                    Choices("bible", 1, (5, 10), None, 400, tmp_path / str(number), ()),
                    Market(panel, panel.digest(), ""),
                    places[number],
                ),
                range(2),
            )
            names = {config.id for config in made}
    finally:
        for place in places:
            place.leave()
    assert len(names) == 2


def test_operators_words_of_any_bytes_can_be_sent() -> None:
    """What a command line can hold: bytes that are no text arrive as lone surrogates."""
    assert words("plain, Börse") == "plain, Börse"
    assert words(os.fsdecode(b"a\xff\xfeb")) == "a\\xff\\xfeb"
    assert words("\ud800") == "\\ud800"
    assert len(words("w" * 100_000)) == WORDS_MAX
    for text in ("\udcff" * 500, "\ud800\udcff", "\x00\x1b[2J"):
        words(text).encode()


def test_an_age_is_said_in_the_largest_unit_that_fits_twice() -> None:
    assert [age(seconds) for seconds in (0, 119, 120, 7_199, 7_200, 172_799, 172_800)] == [
        "0 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 d",
    ]  # fmt: skip


def test_a_session_is_meant_by_name_by_beginning_or_by_folder(tmp_path: Path) -> None:
    def one(name: str, place: str) -> Running:
        folder = tmp_path / place / name
        folder.mkdir(parents=True)
        return Running(structs.replace(config(), id=name, folder=str(folder)), 1, 0.0)

    first, second, twin = one("2026-a", "x"), one("2026-ab", "x"), one("2026-a", "y")
    found = [first, second]
    assert named("2026-a", found) == [first], "a whole name is no beginning"
    assert named("2026-ab", found) == [second]
    assert named("2026", found) == [first, second]
    assert named("", found) == []
    assert named("2027", found) == []
    assert named(str(tmp_path / "x" / "2026-ab"), found) == [second]
    (tmp_path / "current").symlink_to(first.folder)
    assert named(str(tmp_path / "current"), found) == [first]
    assert named("2026-a", [*found, twin]) == [first, twin], "two of one name are told by folder"
    assert named(twin.folder, [*found, twin]) == [twin]


def test_limits_out_of_the_kernels_bounds_are_said_before_anything_starts(tmp_path: Path) -> None:
    panel = replace(generate(0, 400, 4, 60_000), cadence_ms=10**12)
    asked = Choices("bible", 0, (20, 60, 120, 300), "slow.parquet", 0, tmp_path / "a" / "b", ())
    place = Place()
    try:
        with pytest.raises(Unwritable, match="limits: book_stale_ms is"):
            prepare(asked, Market(panel, panel.digest(), ""), place)
    finally:
        place.leave()
    assert list(tmp_path.iterdir()) == [], "nothing is written"
