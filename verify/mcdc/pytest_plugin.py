"""The pytest plugin: `pytest -p verify.mcdc.pytest_plugin --mcdc PACKAGE [--mcdc-data FILE]`.

Rules of this file. A test's evidence goes to one group:

*   `failed`: it did not pass (an expected failure too). No evidence.
*   `skipped`: it was not run to its end, and said so. No evidence, and no failure either.
*   `random`: it carries `@pytest.mark.random`, uses hypothesis, or takes a fixture that stands in
    the ini option `mcdc_random_fixtures` (default: rng seed). Reported apart.
*   `requirement`: it carries `@pytest.mark.req(…)`. This is what counts.
*   `beside`: a thread that an earlier test has left behind was running too. Threads share the
    memory, so nobody can say whose evidence it is. None. What runs since before the first test is
    the runner's own (a display of progress), and taken to run no target.
*   `unmarked`: everything else. `report --count all` counts it too.

Set-up and tear-down count for the test they surround. The processes that a test starts run plain,
unless it carries `@pytest.mark.children`: then they count like the test (`child`). Workers of xdist
send their data to the process that began the run, which writes one file. Not here: the verdict
(`python -m verify.mcdc report`).
"""

import sys
import threading
from collections.abc import Generator
from collections.abc import Set as AbstractSet
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from .child import Children
from .runtime import BadInput, Data, Recorder, Run

RECORDER = pytest.StashKey[Recorder]()
CHILDREN = pytest.StashKey[Children]()
MERGED = pytest.StashKey[Data]()
OUTCOME = pytest.StashKey[str]()
RUN = pytest.StashKey[Run]()
THREADS = pytest.StashKey[AbstractSet[object]]()
WORDS = pytest.StashKey[str]()
DEFAULT = "build/mcdc.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("mcdc", "MC/DC coverage")
    group.addoption("--mcdc", action="append", metavar="PACKAGE", help="what to instrument")
    group.addoption("--mcdc-data", default=DEFAULT, metavar="FILE", help=f"default: {DEFAULT}")
    parser.addini("mcdc_random_fixtures", "fixtures that bring chance", "args", ["rng", "seed"])


def install(config: pytest.Config, targets: list[str] | None) -> None:
    """Install the hook, once."""
    if not targets or RECORDER in config.stash:
        return
    recorder = Recorder(targets)
    try:
        recorder.__enter__()
        if not in_worker():
            config.stash[RUN] = Run(Path(config.known_args_namespace.mcdc_data))
    except BadInput as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[RECORDER] = recorder
    config.stash[CHILDREN] = Children(recorder.data)
    config.add_cleanup(lambda: recorder.__exit__())


def in_worker() -> bool:
    """Return whether xdist runs this pytest as one of its workers, which write no file.

    Nothing else tells so before the first conftest is loaded: the environment's variable is also
    that of a pytest that a worker's test has started.
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__") == "__channelexec__":
            return True
        frame = frame.f_back
    return False


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Install the hook before any conftest can import a target, or end the process."""
    install(early_config, early_config.known_args_namespace.mcdc)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers. A worker of xdist loads its plugins only now."""
    install(config, config.option.mcdc)
    config.addinivalue_line("markers", "req(id): the requirement that this test verifies")
    config.addinivalue_line("markers", "children: the processes it starts are instrumented too")
    config.addinivalue_line("markers", "random: draws its inputs; no evidence for coverage")


def group_of(item: pytest.Item) -> str:
    """Return the group of a test that passes."""
    drawn = set(item.config.getini("mcdc_random_fixtures")) & set(getattr(item, "fixturenames", ()))
    by_hypothesis = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    if drawn or by_hypothesis or item.get_closest_marker("random"):
        return "random"
    return "requirement" if item.get_closest_marker("req") else "unmarked"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Give what a test reached to its group."""
    recorder = item.config.stash.get(RECORDER, None)
    if recorder is None:
        return (yield)
    recorder.pour("outside")
    group = group_of(item)
    running = frozenset(threading.enumerate())
    if running - item.config.stash.setdefault(THREADS, running) and group != "random":
        group = "beside"
    children = item.config.stash[CHILDREN]
    if item.get_closest_marker("children"):
        children.begin()
    result = yield
    outcome = item.stash.get(OUTCOME, "failed")
    if outcome != "passed":
        group = outcome
    recorder.pour(group)
    children.end(group)
    recorder.data.tests[group] = recorder.data.tests.get(group, 0) + 1
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether every phase of a test passed; a failure outweighs a skip."""
    report = yield
    outcome = "failed" if hasattr(report, "wasxfail") else report.outcome
    before = "passed" if report.when == "setup" else item.stash.get(OUTCOME, "failed")
    item.stash[OUTCOME] = next(
        (each for each in ("failed", "skipped") if each in (before, outcome)), "passed"
    )
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the data, or send it to the process that began the run."""
    config = session.config
    recorder = config.stash.get(RECORDER, None)
    if recorder is None:
        return
    run = config.stash.get(RUN, None)
    if run is not None and not run.ours:
        return  # forked from the run, and on its way out
    data = recorder.finish()
    output: dict[str, Any] | None = getattr(config, "workeroutput", None)
    if output is not None:
        output["mcdc"] = data.document()
        return
    data.merge(config.stash.get(MERGED, Data()).document())
    assert run is not None
    words = f"mcdc: data in {run.path}"
    try:
        run.end(data)
    except BadInput as error:
        words = f"mcdc: {error}"
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
    if data.unrecorded:
        words += (
            f"; {data.unrecorded} child processes had no room to record in, and what they reached "
            "counts for nothing"
        )
    config.stash[WORDS] = words


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Merge the data of one xdist worker."""
    sent = getattr(node, "workeroutput", {}).get("mcdc")
    if sent is not None:
        node.config.stash.setdefault(MERGED, Data()).merge(sent)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where the data is."""
    words = terminalreporter.config.stash.get(WORDS, "")
    if words:
        terminalreporter.write_line(words)
