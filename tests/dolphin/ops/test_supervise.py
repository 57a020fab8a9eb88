"""supervisord reads of its file what was meant, whatever paths hold; without it nothing runs."""

import ast
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from supervisor.options import ServerOptions, UnhosedConfigParser, expand

from dolphin.link.config import Config
from dolphin.ops.supervise import (
    PROGRAMS,
    ROOT,
    WITH_DRILLS,
    Supervised,
    Unsupervised,
    down_for_good,
    environment,
    last_line,
    programs,
    settings,
)
from tests.dolphin.ops.test_collect import config

# Names of folders that stand for something else in an ini file, a format, or a shell.
NAMES = (
    "plain", "a b", "a ;b", "a;b", "a #b", "50%", "%(here)s", "%%", "it's", 'say "so"',
    "back\\slash",
    "[program:x]", "key=value", "  ends in blanks  ", "tab\there", "Börse", "市場", "$HOME", "`ls`",
    "*", "~", "-m", "a\x0bb", "a\u2028b", "a\x85b",
)  # fmt: skip


def read(path: Path) -> ServerOptions:
    """What supervisord makes of its file."""
    options = ServerOptions()
    options.realize(["-c", str(path)], doc="")
    return options


@pytest.mark.parametrize("name", NAMES)
def test_supervisord_reads_the_command_that_was_meant(tmp_path: Path, name: str) -> None:
    folder = f"/runs/{name}/20260101-000000-bible-0"
    python = f"/opt/{name}/bin/python3"
    made = replace(config(), folder=folder, sockets=str(tmp_path))
    path = tmp_path / "supervisord.conf"
    path.write_text(settings(made, python), encoding="utf-8")
    (tmp_path / "logs").mkdir()
    parser = UnhosedConfigParser()
    parser.read([str(path)], encoding="utf-8")
    for one in programs(made):
        # As supervisord does it: the parser, one expansion, and a shell's split.
        text = expand(parser.get(f"program:{one.name}", "command"), {"here": "?"}, "command")
        assert shlex.split(text) == [python, "-m", one.module, folder]


def test_supervisord_takes_the_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUTF8", "1")
    (tmp_path / "logs").mkdir()
    made = replace(config(), folder="/runs/50% of a ;market/1", sockets=str(tmp_path))
    path = tmp_path / "supervisord.conf"
    path.write_text(settings(made))
    groups = read(path).process_group_configs
    assert {one.name for one in groups} == {one.name for one in programs(made)}
    (process,) = groups[0].process_configs
    assert shlex.split(process.command)[-1] == made.folder
    assert process.stdout_logfile == str(tmp_path / "logs" / f"{process.name}.log")


def test_without_drills_nobody_probes(tmp_path: Path) -> None:
    made = replace(config(), sockets=str(tmp_path))
    assert "[program:prober]" in settings(made)
    assert "[program:prober]" not in settings(replace(made, demonstration=False))


@pytest.mark.parametrize(
    ("name", "why"),
    [("a\nb", "line break"), ("a\rb", "line break"), ("a\udcffb", "not UTF-8")],
)
def test_a_path_that_cannot_be_told_is_refused_in_one_line(name: str, why: str) -> None:
    with pytest.raises(Unsupervised, match=why) as raised:
        settings(replace(config(), folder=f"/runs/{name}"))
    assert len(str(raised.value).encode().splitlines()) == 1


def test_children_read_files_in_utf_8_and_count_with_one_thread() -> None:
    assert environment()["PYTHONUTF8"] == "1"
    assert environment()["OMP_NUM_THREADS"] == "1"


def test_where_supervisord_does_not_come_up_one_line_says_why(tmp_path: Path) -> None:
    """A socket that cannot be made: supervisord ends, or tries again and again until it is stopped.

    The second is given several times what the first took to be found out.
    """

    def session(name: str, place: Path) -> Config:
        run = tmp_path / name
        (run / "logs").mkdir(parents=True)
        return replace(config(), folder=str(run), sockets=str(place))

    nowhere = tmp_path / ("a folder with a name too long for a socket" * 3)
    nowhere.mkdir()
    began = time.monotonic()
    with pytest.raises(Unsupervised, match="supervisord did not come up: ") as ended:
        Supervised(session("ended", nowhere))
    took = time.monotonic() - began
    place = tmp_path / "place"
    (place / "supervisor.sock" / "in the way").mkdir(parents=True)
    with pytest.raises(Unsupervised, match="did not come up: Unlinking stale socket") as stopped:
        Supervised(session("stopped", place), 3 * took)
    for raised in (ended, stopped):
        assert len(str(raised.value).splitlines()) == 1


def test_the_last_line_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert last_line(log) == ""
    log.write_bytes(b"first\nlast \xff\n\n")
    assert last_line(log) == "last \N{REPLACEMENT CHARACTER}"


# Each program's ``main``, in a child of one process that has imported them all.
MAINS = """
import importlib, os, sys, traceback
def main_of(name):
    module = importlib.import_module(name)
    return (module if hasattr(module, "main") else importlib.import_module(name + ".__main__")).main
mains = {name: main_of(name) for name in sys.argv[1:]}
for name, main in mains.items():
    for words in ([], ["/nowhere"]):
        out, err = os.memfd_create("out"), os.memfd_create("err")
        if (pid := os.fork()) == 0:
            os.dup2(out, 1), os.dup2(err, 2)
            sys.argv = [name, *words]
            code = 0
            try:
                main()
            except SystemExit as ended:
                code = ended.code
            except BaseException:
                traceback.print_exc()
                code = 1
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        said = [os.pread(one, 1 << 16, 0).decode() for one in (out, err)]
        print(repr((name, words, code, *said)))
"""


def test_every_program_says_in_one_line_that_it_needs_a_sessions_folder() -> None:
    modules = sorted({one.module for one in (*PROGRAMS, *WITH_DRILLS.values())})
    done = subprocess.run(
        [sys.executable, "-c", MAINS, *modules], cwd=ROOT, capture_output=True, text=True,
        timeout=120, check=True,
    )  # fmt: skip
    found = [ast.literal_eval(line) for line in done.stdout.splitlines()]
    assert [row[:2] for row in found] == [(m, w) for m in modules for w in ([], ["/nowhere"])]
    for name, words, code, out, said in found:
        assert (code, out, len(said.splitlines())) == (2, "", 1), (name, words, said)
        assert "folder of a session expected" in said or "/nowhere" in said


@pytest.mark.parametrize(
    ("name", "state", "code", "for_good"),
    [
        ("kernel", "FATAL", 0, True),
        ("kernel", "EXITED", 2, True),
        ("kernel", "EXITED", -1, False),  # SIGKILL: shown for a moment, then started again
        ("kernel", "EXITED", 1, False),
        ("kernel", "BACKOFF", 1, False),
        ("kernel", "RUNNING", 0, False),
        ("driver", "EXITED", 0, True),
        ("driver", "EXITED", -1, True),
        ("driver", "RUNNING", 0, False),
    ],
)
def test_what_is_about_to_be_started_again_is_not_down_for_good(
    name: str, state: str, code: int, for_good: bool
) -> None:
    assert down_for_good(name, state, code) is for_good
