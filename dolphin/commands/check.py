"""``dolphin check``: model check with TLC, and compare with the results on record.

Rules of this file:

*   Exit 0 only when every row that was asked for holds and the suite itself is whole; 1 when
    something does not hold; 2 for a name or a manifest that cannot be read; 3 without Java or TLC.
*   What is drawn goes to ``runs/check``, or to the folder of ``--svg``, where nothing is replaced:
    with MODEL that model's graph or counterexample, or a line that says why not; without, the
    posture machine and every counterexample. The result of a whole lane is also left in
    ``runs/check`` as ``<lane>.json``, which the report reads. A selection of models leaves none.

Not here: the judging (``verify/models/checking.py``), exported tests (``verify/models/export.py``).
"""

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from dolphin.commands.outputs import OutputRefused, expect_new, write_new
from traces.audit.tlatools import ToolMissing, jar_path, java_path
from traces.provenance import ROOT
from verify.models.checking import (
    CACHE_FOLDER,
    SPEC_FOLDER,
    Judged,
    as_json,
    check_rows,
    graph_of,
    judge_suite,
    register_new,
    run_row,
    select,
    update_rows,
    why_no_graph,
)
from verify.models.dot import DotError
from verify.models.drawing import (
    counterexample_svg,
    graph_svg,
    posture_machine_svg,
    step_changes,
)
from verify.models.manifest import ManifestError, load_manifest, save_manifest
from verify.models.tlc import TlcRun
from verify.records import RecordsUnreadable, recorded, rows_that_differ

MACHINE = "posture-machine"


def _fail(message: str, code: int) -> None:
    click.echo(f"dolphin check: {message}", err=True)
    raise SystemExit(code)


def _table(judged: list[Judged]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("model")
    table.add_column("expected")
    table.add_column("result")
    for title in ("distinct", "generated", "depth", "seconds"):
        table.add_column(title, justify="right")
    table.add_column("")
    for one in judged:
        mark = "[green]ok[/]" if one.ok else "[bold red]FAIL[/]"
        note = f", cached {one.ran_at[:16]}" if one.cached else ""
        name = f"  {one.row.name}" if one.row.control else one.row.name
        table.add_row(
            name, one.row.expected, one.run.result, f"{one.run.distinct:,}",
            f"{one.run.generated:,}", str(one.run.diameter), f"{one.run.seconds:.1f}", mark + note,
        )  # fmt: skip
    return table


def print_counterexample(console: Console, name: str, run: TlcRun) -> None:
    """Print what each step of a counterexample changed."""
    console.print(f"[bold]{name}: {run.result} is violated[/]")
    for step, changed in step_changes(run.trace):
        console.print(f"  {step.number:>3}  [bold]{step.action}[/]", highlight=False)
        for variable, old, new in changed:
            console.print(f"         {variable}: [red]{old}[/] → [green]{new}[/]", highlight=False)
    if run.loop:
        console.print(f"       then for ever from step {run.loop}")


def _record(judged: list[Judged], ok: bool, err: Console) -> None:
    """Replay the edges and write kernel/constants.json; exit 1 where anything does not hold."""
    from traces.constants import Unrecorded
    from verify.models.record import record  # imported when asked for: pulls in edges

    if not ok:
        _fail("nothing recorded: the lane does not hold", 1)
    try:
        with err.status("replaying every edge of the models' graphs (about a minute)"):
            entry = record(judged)
    except Unrecorded as error:
        _fail(str(error), 1)
    err.print(
        f"recorded: constants version {entry.version} ({entry.constants_sha256[:8]}), "
        f"{entry.runs} runs, {entry.controls} controls, {entry.edges:,} edges"
    )


def _against_record(judged: list[Judged]) -> tuple[str, ...]:
    """Return how these runs differ from the committed record of the same models."""
    try:
        told = recorded(ROOT, ["models"]).get("models")
    except RecordsUnreadable as error:
        return (str(error),)
    runs = {one.row.name: vars(one.run) for one in judged if one.run.result != "error"}
    return rows_that_differ(runs, told)


def _draw_all(
    judged: list[Judged], folder: Path, pictures: Path, *, asked: bool, named: bool, err: Console
) -> None:
    """Draw what went wrong; with ``asked`` every counterexample too, and the models ``named``."""
    pictures.mkdir(parents=True, exist_ok=True)

    def put(name: str, picture: str) -> None:
        path = pictures / f"{name}.svg"
        if asked:
            write_new(path, picture)
        else:  # the command's own folder
            path.write_text(picture, encoding="utf-8")
        err.print(f"{name}: drawn in {path}")

    if not asked:
        (pictures / f"{MACHINE}.svg").write_text(posture_machine_svg(), encoding="utf-8")
    elif not named:
        put(MACHINE, posture_machine_svg())
    for one in judged:
        unexpected = one.run.result != one.row.expected
        if one.run.trace and (unexpected or asked):
            # The cache keeps no states.
            run = run_row(folder, one.row) if one.cached else one.run
            title = f"{one.row.name}: {run.result}"
            put(one.row.name, counterexample_svg(title, run.trace, run.loop))
            if unexpected:
                print_counterexample(err, one.row.name, run)
        elif asked and named:
            why = why_no_graph(one.row) if not one.row.control else f"{one.row.name}: no trace"
            if why:
                err.print(f"not drawn: {why}")
            else:
                put(one.row.name, graph_svg(one.row.name, graph_of(folder, one.row)))


@click.command(name="check")
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option(
    "--lane",
    type=click.Choice(["fast", "exhaustive"]),
    default="fast",
    show_default=True,
    help="How much to check: about two minutes, or hours.",
)
@click.option("--json", "as_document", is_flag=True,
              help="Print one JSON document on standard output.")  # fmt: skip
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Models to check at the same time.",
)
@click.option("--no-cache", is_flag=True, help="Ignore kept results; run every model again.")
@click.option(
    "--update",
    is_flag=True,
    help="Write this run's results into the manifest, as expected ones.",
)
@click.option("--record", "recording", is_flag=True,
              help="If every model holds, record that for the kernel's constants.")  # fmt: skip
@click.option("--svg", "svg_folder", type=click.Path(file_okay=False, path_type=Path),
              help="New folder for the picture of MODEL, or of every counterexample.")  # fmt: skip
@click.option("--export-test", "export", type=click.Path(dir_okay=False, path_type=Path),
              help="Write MODEL's counterexample as a test of kernel.step.")  # fmt: skip
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=SPEC_FOLDER,
              help="Where the models and manifest.json are.", show_default="spec/tla")  # fmt: skip
def command(
    models: tuple[str, ...], lane: str, as_document: bool, jobs: int, no_cache: bool, update: bool,
    recording: bool, svg_folder: Path | None, export: Path | None, folder: Path,
) -> None:  # fmt: skip
    """Check the TLA+ models with TLC against the pinned manifest."""
    err = Console(stderr=True, soft_wrap=True)
    if recording and (models or update or folder != SPEC_FOLDER):
        _fail("--record takes a whole lane of spec/tla, without MODEL or --update", 2)
    try:
        java_path()
        jar_path()
    except ToolMissing as error:
        _fail(str(error), 3)
    try:
        rows = load_manifest(folder) if (folder / "manifest.json").exists() or not update else []
        if update:
            rows = register_new(folder, rows)
        if export is not None:
            from verify.models.export import exported  # imported when asked for: pulls in edges

            if len(models) != 1:
                _fail("--export-test needs exactly one MODEL", 2)
            expect_new(export)
            run, text = exported(folder, select(rows, "exhaustive", models)[0])
            write_new(export, text)
            print_counterexample(err, models[0], run)
            click.echo(json.dumps({"ok": True, "test": str(export), "violated": run.result})
                       if as_document else f"wrote {export}")  # fmt: skip
            return
        chosen = select(rows, lane, models)
        suite = judge_suite(folder, rows)
        if svg_folder is not None:
            if svg_folder.exists() and not svg_folder.is_dir():
                raise OutputRefused(f"{svg_folder}: is no folder; expected one, or a new path")
            svg_folder.mkdir(parents=True, exist_ok=True)
            for name in (row.name for row in chosen) if models else (MACHINE,):
                expect_new(svg_folder / f"{name}.svg")
    except (ManifestError, OutputRefused, ValueError) as error:
        _fail(str(error), 2)
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}; expected a folder that can be written", 2)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=err, transient=True, disable=not err.is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task(f"TLC, {lane} lane", total=len(chosen))

        def tell(one: Judged) -> None:
            progress.update(task, advance=1, description=f"TLC: {one.row.name}")
            if not err.is_terminal and not one.cached and one.run.seconds > 2:
                err.print(f"{one.row.name}: {one.run.result} in {one.run.seconds:.0f} s")

        try:
            judged = check_rows(
                folder, chosen, jobs=jobs, use_cache=not no_cache, cache=CACHE_FOLDER, progress=tell
            )
        except ToolMissing as error:
            _fail(str(error), 3)
    if update:
        # A long lane ran meanwhile, perhaps beside another: take the rows as they are now.
        if (folder / "manifest.json").exists():
            rows = register_new(folder, load_manifest(folder))
        pinned, refused = update_rows(folder, rows, judged)
        if not refused:
            save_manifest(folder, pinned)
        else:
            kept = {one.row.name for one in judged if one.run.result == one.row.expected}
            save_manifest(folder, [row for row in pinned if row.pinned or row.name in kept])
            for text in refused:
                click.echo(f"dolphin check: {text}", err=True)
        rows = load_manifest(folder)
        by_name = {row.name: row for row in rows}
        judged = check_rows(folder, [by_name[one.row.name] for one in judged
                                     if one.row.name in by_name], cache=CACHE_FOLDER)  # fmt: skip
        suite = judge_suite(folder, rows)
        if refused:
            suite = (*refused, *suite)
    if folder == SPEC_FOLDER:
        suite = (*suite, *_against_record(judged))
    document = as_json(judged, suite)
    home = ROOT if folder == SPEC_FOLDER else folder
    pictures = svg_folder or home / "runs" / "check"
    out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 150)
    if not as_document:
        out.print(_table(judged))
    try:
        asked = svg_folder is not None
        _draw_all(judged, folder, pictures, asked=asked, named=bool(models), err=err)
    except (OutputRefused, DotError) as error:
        _fail(str(error), 2)
    if not models and folder == SPEC_FOLDER:
        left = ROOT / "runs" / "check"
        left.mkdir(parents=True, exist_ok=True)
        (left / f"{lane}.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    if recording:
        _record(judged, bool(document["ok"]), err)
    if as_document:
        click.echo(json.dumps(document))
    else:
        rowwise = (f"{one.row.name}: {text}" for one in judged for text in one.problems)
        for text in (*suite, *rowwise):
            out.print(f"[red]{text}[/]", highlight=False)
        controls = document["negative_controls"]
        assert isinstance(controls, dict)
        verdict = "holds" if document["ok"] else "DOES NOT HOLD"
        out.print(
            f"{len(judged)} runs, {controls['failed_as_expected']} of {controls['total']} controls "
            f"failed as expected: {verdict}"
        )
    sys.exit(0 if document["ok"] else 1)
