"""``dolphin run``: play a market session on paper, audit its journal, write its report.

Rules of this file:

*   Bad input is found before anything is written: one line, exit 2. So are constants without a
    passing model run on record, which the kernel's process would refuse: exit 3.
*   Exit 0 only if the session's own verdict is PASS and its audit found the journal conformant; 1
    where one of them does not hold; 3 where the audit was asked for and could not be run. The
    evidence package's verdict is another thing and is printed beside.
*   The models are checked too where ``--check`` asks for it (fast lane; what is unchanged since it
    was checked is not run again). They are the evidence package's, not the session's, so a session
    does not wait for them.
*   ``--json`` prints one document on stdout; progress goes to stderr.

Not here: the session (``dolphin/ops/session.py``), audit and report (their own commands).
"""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dolphin.feed.panel import PanelError
from dolphin.link import messages
from dolphin.link.config import ANCHOR_KEY
from dolphin.ops.endings import Ended, Endings
from dolphin.ops.preparation import Choices, Market, Unwritable, market_for, too_long, too_short
from dolphin.ops.registry import NoRegistry
from dolphin.ops.session import Unaccounted, run_session
from dolphin.ops.summary import bars_of, last_screen, next_steps
from dolphin.ops.supervise import ROOT, Unsupervised
from kernel.constants import PPM, Posture
from traces.constants import Unrecorded, recorded

BARS = 3_200
WINDOWS_BUILT_IN = "20,60,120,300"
WINDOWS_PANEL = "50,150,300,750"
BAD_INPUT = 2
INCOMPLETE = 3


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"dolphin run: {message}", err=True)
    sys.exit(code)


def _windows(text: str) -> tuple[int, ...]:
    # Digits of ASCII and not many: `int` also takes other scripts' digits, blanks and _.
    parts = text.split(",")
    plain = all(re.fullmatch("[0-9]{1,9}", part) for part in parts)
    windows = tuple(int(part) for part in parts) if plain else ()
    if len(windows) < 2 or windows[0] < 5 or list(windows) != sorted(set(windows)):
        _fail(
            f"--windows {text}: expected two or more increasing numbers of bars, each at least 5",
            BAD_INPUT,
        )
    return windows


def _usual_windows(data: str | None) -> str:
    return WINDOWS_BUILT_IN if data is None else WINDOWS_PANEL


class Shown:
    """Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, total: int, console: Console | None = None) -> None:
        """Begin at bar 0 of ``total``."""
        self._console = console or Console(stderr=True)
        self._live = self._console.is_terminal
        self._said = -1
        self._bar = Progress(
            TextColumn("session"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("{task.fields[text]}"), console=self._console, disable=not self._live,
        )  # fmt: skip
        self._task = self._bar.add_task("session", total=total, text="starting")

    def __enter__(self) -> "Shown":
        """Show it."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Hide it."""
        self._bar.stop()

    def finish(self, bars: int) -> None:
        """Say where the session ended: progress comes only now and then."""
        try:
            self._bar.update(self._task, completed=bars, text="ended")
            if not self._live:
                click.echo(f"session: ended at bar {bars}", err=True)
        except OSError:
            pass  # nobody reads this any more

    def __call__(self, message: messages.Progress | str) -> None:
        """Take the driver's word of where it is; nothing that cannot be shown ends a session."""
        try:
            self._show(message)
        except OSError:
            self._live, self._said = False, 10  # nobody reads this any more

    def _show(self, message: messages.Progress | str) -> None:
        if isinstance(message, str):
            self._bar.update(self._task, text=message, refresh=True)
            return
        text = f"{Posture(message.posture).name:9} {message.equity / PPM:,.0f} USDT"
        self._bar.update(self._task, completed=message.bar, total=message.of, text=text)
        tenth = 10 * message.bar // message.of
        if not self._live and tenth > self._said:
            self._said = tenth
            click.echo(f"session: bar {message.bar} of {message.of}: {text}", err=True)


def _after(words: list[str], label: str, folder: Path, endings: Endings) -> str:
    """Run another command of ours on the session's folder; return what it printed.

    When the run is asked to end it is ended with all that it started, and has printed nothing. A
    run that was asked to end before does not begin it.
    """
    if endings.asked:
        click.echo(f"{label}: not run, the run was ended by {endings.asked}", err=True)
        return ""
    click.echo(f"{label} …", err=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "dolphin.ops.die_with_parent", sys.executable, "-m", *words],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "DOLPHIN_ANCHOR_KEY": str(folder / "keys" / ANCHOR_KEY)},
        start_new_session=True,
    )

    def end() -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)

    with endings.then(end):
        printed, _ = process.communicate()
    if process.returncode != -signal.SIGKILL:
        return printed
    click.echo(f"{label}: not run, ended by {endings.asked or 'SIGKILL'}", err=True)
    return ""


@click.command()
@click.option("--data", metavar="PANEL",
              help="Parquet file of closing prices; without it a market is generated.")  # fmt: skip
@click.option("--profile", type=click.Choice(["bible", "specification"]), default="bible",
              show_default=True,
              help="Formulas of the survival controller: docs/sources/README.md.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Another number generates another market.")  # fmt: skip
@click.option("--windows", metavar="BARS,BARS,…",
              help="Lengths of the correlation windows, increasing. "
              f"[default: {WINDOWS_BUILT_IN}; with --data {WINDOWS_PANEL}]")  # fmt: skip
@click.option("--bars", type=click.IntRange(min=1), default=BARS, show_default=True,
              help="Length of the generated market, in bars.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
              help="Folder in which the session makes its own folder.")  # fmt: skip
@click.option(
    "--check/--no-check", default=False, help="Also model check the specifications (minutes)."
)
@click.option("--no-audit", is_flag=True, help="Do not audit the journal.")
@click.option("--no-report", is_flag=True, help="Do not write the report.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
def command(
    data: str | None,
    profile: str,
    seed: int,
    windows: str | None,
    bars: int,
    out: Path,
    check: bool,
    no_audit: bool,
    no_report: bool,
    as_json: bool,
) -> None:
    """Play a session: built-in with drills, or a panel's market whole."""
    given = click.get_current_context().get_parameter_source
    for name in ("seed", "bars"):
        if data is not None and given(name) is not ParameterSource.DEFAULT:
            _fail(f"--{name}: does nothing with --data, a panel is played as it is", BAD_INPUT)
    choices = Choices(
        profile=profile,
        seed=seed,
        windows=_windows(windows if windows is not None else _usual_windows(data)),
        data=data,
        bars=bars,
        out=out,
        command=("dolphin", *sys.argv[1:]),
    )
    if fault := too_long(choices) or too_short(choices):
        _fail(fault, BAD_INPUT)
    try:
        recorded()
        market = market_for(choices)
    except Unrecorded as error:
        _fail(str(error), INCOMPLETE)
    except PanelError as error:
        _fail(str(error), BAD_INPUT)
    # Until here nothing is written, and a signal ends the process as it ends any other.
    with Endings() as endings:
        sys.exit(_run(choices, market, endings, check, no_audit, no_report, as_json))


def _play(choices: Choices, market: Market, endings: Endings) -> dict[str, Any]:
    """Play the session; return its account, or exit where it could not begin."""
    try:
        with Shown(market.panel.rows) as shown:
            session = run_session(choices, market, shown, endings)
            shown.finish(session["counts"]["bars"])
            return session
    except Unsupervised as error:
        _fail(str(error), INCOMPLETE)
    except (NoRegistry, Unwritable) as error:
        _fail(str(error), BAD_INPUT)
    except Unaccounted as error:
        _fail(str(error), 1)
    except Ended as error:
        _fail(f"ended by {error} before it began; nothing is left of it", 1)


def _run(
    choices: Choices,
    market: Market,
    endings: Endings,
    check: bool,
    no_audit: bool,
    no_report: bool,
    as_json: bool,
) -> int:
    """Play, audit and report a session; return the exit code."""
    out = choices.out
    session = _play(choices, market, endings)
    folder = out / session["id"]
    ok = session["verdict"] == "PASS"
    audit: dict[str, Any] | None = None
    incomplete = False
    if not no_audit:
        words = ["dolphin.cli", "audit", "--json", str(folder / "journal.bin")]
        printed = _after(words, "audit", folder, endings)
        try:
            audit = json.loads(printed)
        except ValueError:
            audit = None
        if audit is not None:
            (folder / "audit.json").write_text(printed)
        conformant = None if audit is None else audit.get("conformant")
        incomplete = audit is None or (audit.get("intact") is not False and conformant is None)
        ok = ok and (incomplete or (audit is not None and audit.get("ok") is True))
    if check:
        words = ["dolphin.cli", "check", "--lane", "fast", "--json"]
        printed = _after(words, "models", folder, endings)
        if printed.strip():
            (folder / "check.json").write_text(printed)
    report: Path | None = None
    package = ""
    if not no_report:
        report = folder / "report.html"
        words = ["certification", "--package-only", str(folder)]
        package = _after(words, "report", folder, endings)
        report = report if report.exists() else None
    if as_json:
        click.echo(
            json.dumps(
                {
                    "ok": ok and not incomplete,
                    "verdict": session["verdict"],
                    "reason": session["reason"],
                    "run": str(folder),
                    "report": str(report) if report else None,
                    "audit": audit,
                    "shown": session["shown"],
                }
            )
        )
    else:
        for line in last_screen(session, audit, audit_asked=not no_audit, bars=bars_of(folder)):
            click.echo(line)
        click.echo(package, nl=False)
        for line in next_steps(report, ok, folder):
            click.echo(line)
    return INCOMPLETE if ok and incomplete else 0 if ok else 1
