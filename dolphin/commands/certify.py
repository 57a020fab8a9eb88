"""`dolphin certify`: write the evidence report of a run, by starting `python -m certification`.

Rules of this file:

*   The report is a process of its own: nothing here imports it, and it imports nothing of ours.
*   Output and exit code are passed through untouched: 0 PASS, 1 FAIL, 2 bad input, 3 INCOMPLETE.
*   Without RUN, the newest run is meant: the one whose `session.json` says that it started last.
    When a file was written says nothing: a copy is younger than its run. A line says which it is,
    and one names each run that does not say when it started.

Not here: what is claimed, and the page (`certification/`).
"""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

RUNS = Path("runs")
BAD_INPUT = 2
# A run has at least one of them, however it ended. Nothing is written to any other folder.
OF_A_RUN = ("session.json", "config.json", "journal.bin")


def started(session: Path) -> datetime:
    """Return when a run started, as its session.json says. Raises `OSError`, `ValueError`."""
    document = json.loads(session.read_text(encoding="utf-8"))
    said = document.get("started") if isinstance(document, dict) else None
    if not isinstance(said, str):
        raise ValueError("no time of its start")
    moment = datetime.fromisoformat(said)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def newest_run(runs: Path) -> Path | None:
    """Return the folder below `runs` that started last, as it says itself; None without any."""
    found: list[tuple[datetime, str, Path]] = []
    for session in sorted(runs.glob("*/session.json")):
        if session.parent.is_symlink():
            continue  # `current`, and other names of a run that has its own
        try:
            found.append((started(session), session.parent.name, session.parent))
        except (OSError, ValueError, RecursionError):
            said = "does not say when it started, expected a time in the field 'started'; left out"
            click.echo(f"dolphin certify: {session}: {said}", err=True)
    return max(found)[2] if found else None


def run_folder(name: str | None, runs: Path) -> Path | None:
    """Return the folder that a user's RUN means, a path or a run's name; None if there is none."""
    if name is None:
        return newest_run(runs)
    for folder in (Path(name), runs / name):
        if os.path.isdir(folder):
            return folder
    return None


@click.command(name="certify")
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
@click.option(
    "--session-verdict", is_flag=True, help="Take the exit code from the session's verdict alone."
)
@click.option("--check", metavar="FILE", help="Output of `dolphin check --json` to use.")
@click.option("--junit", metavar="FILE", multiple=True, help="JUnit file to use; may be repeated.")
def command(
    run: str | None, as_json: bool, session_verdict: bool, check: str | None, junit: tuple[str, ...]
) -> None:
    """Write report.html and evidence.json of a run, and say the verdict.

    RUN is a run's folder or its name below runs/; without it the newest run is meant.
    """
    folder = run_folder(run, RUNS)
    if folder is None:
        wanted = "a run's folder or name" if run else f"a run in {RUNS}/ (`dolphin run` makes one)"
        click.echo(f"dolphin certify: {run or RUNS}: no such run, expected {wanted}", err=True)
        sys.exit(BAD_INPUT)
    if not any(os.path.lexists(folder / name) for name in OF_A_RUN):
        expected = " or ".join(OF_A_RUN)
        click.echo(f"dolphin certify: {folder}: not a run, expected {expected} in it", err=True)
        sys.exit(BAD_INPUT)
    if run is None:
        when = started(folder / "session.json").isoformat()
        click.echo(f"dolphin certify: taking the newest run, {folder}, started {when}", err=True)
    words = [sys.executable, "-m", "certification", str(folder)]
    words += ["--json"] if as_json else []
    words += ["--session-verdict"] if session_verdict else []
    words += ["--check", check] if check else []
    words += [word for path in junit for word in ("--junit", path)]
    sys.exit(subprocess.run(words, check=False).returncode)
