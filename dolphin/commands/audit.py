"""``dolphin audit``: check journals: intact, reproducible, allowed by the model, authentic?

Rules of this file:

*   Three answers in order, intact, replayed, conformant, and whether the journal is authentic.
    An answer that was not given is "not run", never a pass.
*   Exit 0 all four hold; 1 one does not; 2 no journal, a key or file that cannot be read, an output
    that exists; 3 something needed was not run: TLC, the key of the journal's anchors, the version
    that wrote the journal, the records beyond a sample; or there was no event to judge.
*   ``--json`` prints exactly one document, and the progress goes to stderr.

Not here: the judging (``traces/audit/judge.py``).
"""

import json
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from dolphin.commands.outputs import OutputRefused, new_text_file
from traces.audit.coverage import GraphUnusable, read_graph
from traces.audit.judge import (
    BAD_INPUT,
    Audit,
    JournalAudit,
    ProgressCallback,
    audit_journals,
    not_a_journal,
)
from traces.audit.ndjson import NDJSON_SUFFIX, lines_of, opened
from traces.checksums import KEY_VARIABLE, KeyUnusable, find_key
from traces.frames import JournalCorrupt

_WORDS = {True: "yes", False: "NO", None: "not run"}


def _fail(message: str, code: int) -> None:
    click.echo(f"dolphin audit: {message}", err=True)
    raise SystemExit(code)


def _not_a_file(path: Path) -> str:
    """Return why ``path`` is no file that can be read, or the empty text."""
    try:
        kind = path.stat().st_mode
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        return "no such file" if missing else getattr(error, "strerror", None) or str(error)
    if stat.S_ISDIR(kind):
        return "a folder (a session's journal is the file journal.bin in its folder)"
    return "" if stat.S_ISREG(kind) else "not a file but a device or a pipe"


class _Bar:
    """Two tasks on stderr: what was read, and what TLC has judged."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def told(self, name: str) -> ProgressCallback:
        def tell(done: int, total: int) -> None:
            if name not in self._tasks:
                self._tasks[name] = self._progress.add_task(name, total=total)
            self._progress.update(self._tasks[name], completed=done, total=total)

        return tell


@contextmanager
def _progress(console: Console) -> Iterator[_Bar]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
    )
    shown = console.is_terminal
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=not shown) as progress:
        yield _Bar(progress)


def _refuse_what_is_no_journal(files: Sequence[Path]) -> None:
    for path in files:
        if fault := not_a_journal(path):
            said = "" if "expected" in fault else "; expected a journal"
            _fail(f"{path}: {fault}{said}", 2)


def _to_ndjson(path: Path, target: Path) -> None:
    """Write a journal's lines to a new file; none is left where the journal is not intact."""
    try:
        with opened(path) as data, new_text_file(target) as sink:
            for line in lines_of(data):
                sink.write(line + "\n")
    except JournalCorrupt as error:
        _fail(f"{path}: {error}", 2 if error.finding.fault in BAD_INPUT else 1)
    except OutputRefused as error:
        _fail(str(error), 2)
    click.echo(f"{target}: written", err=True)


def _where_the_key_was_sought(one: JournalAudit) -> str:
    """Return what to add to "not checked" where no key was given: the places looked at."""
    if one.header is None or not one.header.anchor_every:
        return ""
    beside = one.path.parent / "keys" / "anchor.key"
    hint = f"; there is one in {beside}" if beside.is_file() else ""
    return f"; looked at --key (not given) and {KEY_VARIABLE} (not set){hint}"


def _as_json(audit: Audit) -> dict[str, Any]:
    rejection = audit.rejection
    authentic = audit.answer("authentic")
    return {
        "ok": audit.ok,
        "journals": [
            {
                "path": str(one.path),
                "sha256": one.sha256,
                "records": one.records,
                "intact": one.intact,
                "fault": one.fault_text,
                "replayed": one.replayed,
                "replay": one.replay_text,
                "conformant": one.conformant,
                "conformance": one.conformant_text,
                "authentic": "not checked" if one.authentic is None else one.authentic,
                "authenticity": one.authentic_text,
                "stand_ins": one.header.stand_ins if one.header else {},
            }
            for one in audit.journals
        ],
        "records": audit.records,
        "intact": audit.answer("intact"),
        "replayed": audit.answer("replayed"),
        "conformant": audit.answer("conformant"),
        "authentic": "not checked" if authentic is None else authentic,
        "rejection": None if rejection is None else rejection.data(),
        "coverage": audit.coverage.data(_graph()),
    }


def _graph() -> Any:
    try:
        return read_graph()
    except GraphUnusable as error:
        _fail(str(error), 2)


def _line(console: Console, name: str, value: bool | None, text: str) -> None:
    colour = {True: "green", False: "bold red", None: "yellow"}[value]
    console.print(
        f"  {name:<11} [{colour}]{_WORDS[value]:<8}[/]", end="", highlight=False, soft_wrap=True
    )
    said = text.removeprefix("not run: ") if value is None else text
    console.print(said, markup=False, highlight=False, soft_wrap=True)


def _show(console: Console, one: JournalAudit) -> None:
    console.print(f"{one.path}: {one.records:,} records", markup=False, soft_wrap=True)
    if one.intact is not True and one.header is None:
        _line(console, "intact", one.intact, one.fault_text)
        return
    _line(console, "intact", one.intact, one.fault_text)
    _line(console, "replayed", one.replayed, one.replay_text)
    _line(console, "conformant", one.conformant, one.conformant_text)
    _line(console, "authentic", one.authentic, one.authentic_text)
    if one.header is not None and one.header.stand_ins:
        names = ", ".join(f"{name}: {text}" for name, text in one.header.stand_ins.items())
        console.print(f"  stand-ins  {names}", markup=False, highlight=False, soft_wrap=True)
    if one.explanation is not None:
        console.print(one.explanation.text, markup=False, highlight=False, soft_wrap=True)


def _show_all(console: Console, audit: Audit) -> None:
    for one in audit.journals:
        _show(console, one)
    coverage = audit.coverage.data(_graph())
    actions, edges = coverage["actions"], coverage["edges"]
    missing = ", ".join(actions["missing"]) or "none"
    console.print(
        f"coverage: {actions['covered']} of {actions['total']} actions (never: {missing}); "
        f"{edges['covered']} of {edges['total'] or 'an unknown number of'} edges",
        highlight=False,
        soft_wrap=True,
    )
    rate = audit.records / max(audit.read_seconds, 1e-9)
    text = (
        f"read and replayed {audit.records:,} records in {audit.read_seconds:.1f} s ({rate:,.0f}/s)"
    )
    if audit.rows_judged:
        rate = audit.rows_judged / max(audit.tlc_seconds, 1e-9)
        text += f"; TLC judged {audit.rows_judged:,} in {audit.tlc_seconds:.1f} s ({rate:,.0f}/s)"
    console.print(text, highlight=False, soft_wrap=True)
    if audit.not_run:
        console.print(f"not run: {audit.not_run}", markup=False, highlight=False, soft_wrap=True)


# AUD-008
@click.command(name="audit")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path),
    help=f"File of the anchors' key (else the one that {KEY_VARIABLE} names).",
)
@click.option(
    "--no-tlc", is_flag=True, help="Do not ask TLC whether the model allows each step (exit 3)."
)
@click.option(
    "--sample",
    default=0,
    type=click.IntRange(min=0),
    help="Let TLC check about this many records; 0 is all.",
)
@click.option(
    "--to-ndjson",
    "ndjson",
    type=click.Path(path_type=Path),
    metavar="NEW.ndjson",
    help="Write the one journal's records as JSON lines to a file that does not exist yet, whose "
    "name ends in .ndjson, and audit nothing.",
)
def command(
    files: tuple[Path, ...],
    as_json: bool,
    key_file: Path | None,
    no_tlc: bool,
    sample: int,
    ndjson: Path | None,
) -> None:
    """Audit journals: are they intact, do they replay, does the model allow every step?"""
    if not files:
        _fail("no journal given; expected one file or more", 2)
    for path in files:
        if fault := _not_a_file(path):
            _fail(f"{path}: cannot be read: {fault}, expected a journal", 2)
    if ndjson is not None:
        if len(files) != 1:
            _fail(f"--to-ndjson takes one journal, {len(files)} were given", 2)
        if ndjson.suffix != NDJSON_SUFFIX:
            _fail(
                f"--to-ndjson {ndjson}: expected a name that ends in {NDJSON_SUFFIX}, by which "
                "its lines are known when they are read back",
                2,
            )
        _refuse_what_is_no_journal(files[:1])
        _to_ndjson(files[0], ndjson)
        return
    # Before a key is sought or a model asked: nothing is told about files beside one that is none.
    _refuse_what_is_no_journal(files)
    try:
        key = find_key(key_file)
    except KeyUnusable as error:
        _fail(str(error), 2)
    console = Console(stderr=True)
    with _progress(console) as bar:
        audit = audit_journals(
            files, key=key, tlc=not no_tlc, sample=sample, workers=min(2, os.cpu_count() or 1),
            reading=bar.told("reading, replaying"), judging=bar.told("TLC"),
        )  # fmt: skip
    if key is None:
        for one in audit.journals:
            one.authentic_text += _where_the_key_was_sought(one)
    if as_json:
        click.echo(json.dumps(_as_json(audit), indent=2))
    else:
        _show_all(Console(file=sys.stdout), audit)
    for one in audit.journals:
        if one.intact is not True:
            click.echo(f"dolphin audit: {one.path}: {one.fault_text}", err=True)
    raise SystemExit(audit.exit_code)
