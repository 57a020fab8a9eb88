"""pytest's plugin: ``@pytest.mark.req("ID", …)`` names requirements, and outcomes are recorded.

Rules of this file:

*   An id that no table has is an error of collection that names the test and the id: nothing runs.
*   What is recorded is what happened: passed, failed, skipped, xfailed. A fault in set-up or
    tear-down is a failure; a test that passed although it was expected to fail did not pass. A
    test that was not executed has no outcome.
*   One document, ``build/requirements.json``. Runs of the same sources and the same catalogue add
    up, test by test, the latest outcome in force; a test that also failed under these sources says
    so. A run of other sources, or one in whose course they changed, begins anew.
*   xdist: workers validate and run; the process that began the run records. A test in which a
    worker died is a failure.

It imports the standard library, pytest and ``identity``: nothing that a measurement could miss.
Not here: what follows from the outcomes (``gates.py``).
"""

import fcntl
import json
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from certification.requirements.identity import catalogue_hash, known_ids, sources_hash

MARK = "req"
PROPERTY = "requirements"
DEFAULT = "build/requirements.json"
SCHEMA = 1


def ids_of(item: pytest.Item) -> tuple[list[str], list[str]]:
    """Return the ids that a test's marks name, in order, and what is wrong with them."""
    known = known_ids()
    found: dict[str, None] = {}
    wrong: list[str] = []
    for mark in item.iter_markers(MARK):
        if mark.kwargs or not mark.args:
            wrong.append(f'{item.nodeid}: expected @pytest.mark.req("ID", …)')
        for one in mark.args:
            if isinstance(one, str) and one in known:
                found[one] = None
            else:
                wrong.append(f"{item.nodeid}: no requirement has the id {one!r}")
    return list(found), wrong


class Outcomes:
    """What one run has seen so far; a plugin of that run."""

    def __init__(self, path: Path) -> None:
        """Record to ``path`` at the end."""
        self.path = path
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.catalogue = catalogue_hash()
        self.sources = sources_hash()
        self.tests: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take one phase of one test: the worst phase is the outcome."""
        named = dict(report.user_properties).get(PROPERTY)
        crashed = report.when not in ("setup", "call", "teardown")
        if named is None and not crashed:
            return
        ids = str(named).split() if named else []
        seen = self.tests.setdefault(report.nodeid, {"requirements": ids, "outcome": "passed"})
        if report.failed:
            seen["outcome"] = "failed"
        elif hasattr(report, "wasxfail") and seen["outcome"] != "failed":
            seen["outcome"] = "xfailed" if report.skipped else "xpassed"
        elif report.skipped and seen["outcome"] != "failed":
            seen["outcome"] = "skipped"
        seen["finished"] = datetime.now(UTC).isoformat(timespec="seconds")

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Add this run to what is recorded of the same sources."""
        if self.sources != sources_hash() or self.catalogue != catalogue_hash():
            return  # they changed under the run: its outcomes are of no sources at all
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.with_suffix(".lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self._before()
            tests = before["tests"]
            for nodeid, outcome in self.tests.items():
                earlier = tests.get(nodeid, {})
                if earlier.get("outcome") == "failed" or earlier.get("also_failed"):
                    outcome["also_failed"] = True
                tests[nodeid] = outcome
            document = {
                "schema": SCHEMA,
                "catalogue": self.catalogue,
                "sources": self.sources,
                "started": min(before["started"], self.started),
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                "exit_status": int(exitstatus),
                "tests": dict(sorted(tests.items())),
            }
            draft = self.path.with_suffix(".draft")
            draft.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
            draft.replace(self.path)

    def _before(self) -> dict[str, Any]:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            same = (SCHEMA, self.catalogue, self.sources)
            if (found["schema"], found["catalogue"], found["sources"]) == same:
                return {"started": found["started"], "tests": dict(found["tests"])}
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return {"started": self.started, "tests": {}}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare where the outcomes go."""
    parser.getgroup("requirements").addoption(
        "--req-outcomes", default=DEFAULT, metavar="FILE", help=f"default: {DEFAULT}"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to record, in the process that began the run."""
    config.addinivalue_line("markers", "req(id): the requirement that this test verifies")
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        path = config.rootpath / config.option.req_outcomes
        config.pluginmanager.register(Outcomes(path), "requirements-outcomes")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Give each test's ids to its reports; ids that no requirement has are an error of its file.

    Of its file, so that xdist tells it in the same words, and deselected tests are judged too.
    """
    report = yield
    wrong = []
    for item in report.result:
        if isinstance(item, pytest.Item):
            ids, faults = ids_of(item)
            wrong += faults
            if ids:
                item.user_properties.append((PROPERTY, " ".join(ids)))
    if wrong:
        report.outcome, report.longrepr, report.result = "failed", "\n".join(wrong), []
    return report
