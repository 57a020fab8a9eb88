"""How the suite is paced: what runs first, on which worker, and what is said meanwhile.

Rules of this file:

*   A file is one piece of work: its tests share what their module sets up. A file that says
    ``pytest.mark.spread`` is many, a test each: its tests are long and share nothing.
*   Pieces are handed out longest first, as the last run measured them (``build/durations.json``);
    what was never measured comes before all, files with a ``slow`` test at the head. So no worker
    is left alone with the longest piece at the end. Nothing is asserted of a duration. All workers
    of a run, also one that comes later, sort by what was measured as it began.
*   A worker that dies fails the test that it ran, once; what it left goes to the others and to the
    worker that takes its place.
*   Every 15 seconds a line names what runs, and for how long, where nobody sees a moving bar: the
    output is no terminal, or ``-q`` was given; under xdist always, for its bar names nothing.
*   A campaign is a test whose inputs are drawn from many: forgeries, edges, random journals. By
    default it takes a sample, by the seed of the run; ``--campaigns=whole`` (``make check``) takes
    all. Its mark is ``pytest.mark.campaign``, and the fixture ``whole`` says which was asked for.

Not here: what a test records for a requirement (``certification/requirements/plugin.py``).
"""

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DURATIONS = Path(__file__).resolve().parent.parent / "build" / "durations.json"
SPREAD = "pytest.mark.spread"
SAY_EVERY_S = 15.0
NAMED_MAX = 4  # of the tests that run, in one line


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that says how much of a campaign runs."""
    parser.addoption(
        "--campaigns", choices=("sample", "whole"), default="sample",
        help="forgeries, edges, random journals: a sample by the run's seed, or all of them",
    )  # fmt: skip


@pytest.fixture(scope="session")
def whole(pytestconfig: pytest.Config) -> bool:
    """Return whether campaigns run whole."""
    return bool(pytestconfig.getoption("--campaigns") == "whole")


@pytest.fixture
def only_whole(whole: bool) -> None:
    """Skip what has no sample: it runs where campaigns run whole."""
    if not whole:
        pytest.skip("not run: it has no sample; `make check` runs it")


# --- order ---------------------------------------------------------------------------------------


def measured(path: Path = DURATIONS) -> dict[str, float]:
    """Return the seconds of each test as they were measured last; empty where they were not."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: s for name, s in found.items() if isinstance(s, int | float)}


def piece_of(nodeid: str, spread: Callable[[str], bool]) -> str:
    """Return the piece of work that a test belongs to: its file, or itself where that is spread."""
    file = nodeid.partition("::")[0]
    return nodeid if spread(file) else file


def longest_first(
    nodeids: list[str], seconds: dict[str, float], slow: set[str], spread: Callable[[str], bool]
) -> list[str]:
    """Return the tests in the order of their pieces, longest first; a piece stays together.

    A test that was never measured makes its piece one of the longest: ``slow`` before others.
    """
    pieces: dict[str, list[str]] = {}
    for nodeid in nodeids:
        pieces.setdefault(piece_of(nodeid, spread), []).append(nodeid)

    def weight(piece: str) -> tuple[bool, bool, float]:
        tests = pieces[piece]
        unknown = any(one not in seconds for one in tests)
        is_slow = any(one in slow for one in tests)
        return (unknown, unknown and is_slow, sum(seconds.get(one, 0.0) for one in tests))

    return [one for piece in sorted(pieces, key=weight, reverse=True) for one in pieces[piece]]


class Spread:
    """Which files are many pieces; each is read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.known: dict[str, bool] = {}

    def __call__(self, file: str) -> bool:
        """Say whether a file's tests go to workers one by one."""
        if file not in self.known:
            path = self.root / file
            self.known[file] = path.is_file() and SPREAD in path.read_text("utf-8")
        return self.known[file]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put a worker's tests in the order in which pieces are handed out."""
    if not hasattr(config, "workerinput"):
        return
    slow = {item.nodeid for item in items if item.get_closest_marker("slow")}
    nodeids = [item.nodeid for item in items]
    seconds = config.workerinput["seconds"]
    order = longest_first(nodeids, seconds, slow, Spread(config.rootpath))
    place = {nodeid: number for number, nodeid in enumerate(order)}
    items.sort(key=lambda item: place[item.nodeid])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out pieces in their order, where the command line says ``--dist loadfile``."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Pieces(LoadFileScheduling):
        spread = Spread(config.rootpath)

        def _split_scope(self, nodeid: str) -> str:
            return piece_of(nodeid, self.spread)

        def _assign_work_unit(self, node: Any) -> None:
            """Give a worker its next piece; one that is dead and not yet reported gives it back."""
            with contextlib.suppress(OSError):
                super()._assign_work_unit(node)

        def remove_node(self, node: Any) -> str | None:
            """Give what a worker left to others, but for the test that it died of: return that.

            xdist's own would hand out that test again, to kill one worker after the other.
            """
            pieces = self.assigned_work.pop(node)
            left = [(tests, one) for tests in pieces.values() for one in tests if not tests[one]]
            if not left:
                return None
            died_of = left[0][1]
            left[0][0][died_of] = True
            for piece, tests in pieces.items():
                if not all(tests.values()):
                    self.workqueue[piece] = tests
            for other in self.nodes:
                self._reschedule(other)
            return died_of

        def schedule(self) -> None:
            """Hand out pieces as a worker has arrived.

            A worker begins its last test when it knows the next, or that there is none. So one
            that came later with a piece of one test is told now; xdist's own would never tell it.
            """
            begins = self.collection is None
            super().schedule()
            if not begins:
                for node in self.nodes:
                    self._reschedule(node)

    config.option.loadscopereorder = False  # its order is by number of tests
    return Pieces(config, log)


# --- what is said, and measured ------------------------------------------------------------------


class Pace:
    """What runs now, in the process that began the run; says so, and keeps what each took."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.before = measured()
        self.began = time.monotonic()
        self.total = 0
        self.done: set[str] = set()
        self.running: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        self.out = os.dup(1)  # as the run begins nothing is captured yet
        self.over = threading.Event()
        self.speaks = threading.Thread(target=self.speak, daemon=True)

    def line(self, now: float) -> str:
        """Return the line that says how far the run is and what it waits for."""
        span = int(now - self.began)
        running = sorted(self.running.copy().items(), key=lambda one: one[1])
        named = [f"{name} ({now - since:.0f} s)" for name, since in running[:NAMED_MAX]]
        of = f" of {self.total}" if self.total else ""
        return f"[{span // 60}:{span % 60:02}] {len(self.done)}{of} done; now {', '.join(named)}"

    def speak(self) -> None:
        """Say a line now and then until the run is over."""
        while not self.over.wait(SAY_EVERY_S):
            if self.running:
                # Off the line of dots, and past what captures the output of the test that runs.
                os.write(self.out, f"\n{self.line(time.monotonic())}\n".encode())

    def pytest_sessionstart(self) -> None:
        """Begin to speak where nothing else names what runs."""
        shared = bool(self.config.getoption("numprocesses", None))
        quiet = self.config.get_verbosity() < 0
        if shared or quiet or not sys.stdout.isatty():
            self.speaks.start()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note how many tests there are, where this process collects them itself."""
        self.total = len(session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand each worker the durations by which it sorts, the same to all."""
        node.workerinput["seconds"] = self.before

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str) -> None:
        """A test has ended its worker; how long it takes is not known."""
        self.pytest_runtest_logfinish(crashitem)
        self.seconds.pop(crashitem, None)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Note how many tests there are, where workers collect them."""
        self.total = len(ids)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self.running[nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A test has ended."""
        self.running.pop(nodeid, None)
        self.done.add(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up what the phases of a test took."""
        if report.when in ("setup", "call", "teardown"):  # not xdist's word on a dead worker
            self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration

    def pytest_sessionfinish(self) -> None:
        """Keep what each test took, beside what was kept of tests that did not run now."""
        self.over.set()
        kept = measured() | {name: round(each, 2) for name, each in self.seconds.items()}
        DURATIONS.parent.mkdir(exist_ok=True)
        draft = DURATIONS.with_suffix(".draft")
        draft.write_text(json.dumps(kept, indent=0, sort_keys=True), "utf-8")
        draft.replace(DURATIONS)


def pytest_configure(config: pytest.Config) -> None:
    """Watch the run from the process that began it."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Pace(config), "pace")
