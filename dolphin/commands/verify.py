"""``dolphin verify``: verify the kernel's code: proofs, coverage, mutants, requirements.

Rules of this file:

*   Each item is said to hold, not to hold, or not to have been run, with what was found by name.
*   Exit 0 only where every item holds; 1 where one does not; 2 bad input; 3 where something was not
    run. "Not run" is never "holds".
*   What held is not run again while its inputs are the same; ``--no-cache`` runs all. A run that is
    broken off keeps what it finished. The fast lane takes a committed record of exactly these
    inputs for a run, and says so; the full lane runs, and fails where the record differs.
*   ``--record`` commits nothing: it writes records of what was run here, or in ``--from``, for
    people to commit.
*   A run leaves its document as ``runs/verify/<lane>.json``, which the report reads; of a
    selection, its items' rows in place of the older ones.

Not here: the items (``verify/``).
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from traces.provenance import ROOT
from verify.item import DOES_NOT_HOLD, FULL, HOLDS, NOT_RUN, Item
from verify.plan import LANES, UnknownItem, chosen
from verify.records import Recorded, RecordsUnreadable, make, recorded
from verify.running import (
    RECORDED,
    Tell,
    Verified,
    at_no_cost,
    document,
    forecast,
    merged,
    run_item,
    settled,
    summed,
)
from verify.store import Store

BAD_INPUT = 2
CODES = {HOLDS: 0, DOES_NOT_HOLD: 1, NOT_RUN: 3}
COLOURS = {HOLDS: "green", DOES_NOT_HOLD: "bold red", NOT_RUN: "yellow"}
FINDINGS_SHOWN = 20


def minutes(seconds: float) -> str:
    """Return a span as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


@contextmanager
def shown(console: Console, item: Item, expected: float) -> Iterator[Tell]:
    """Show an item's progress: a bar on a terminal, a line now and then elsewhere."""
    said, part = 0, 0  # the last tenth told, and of how many: a new part begins again
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(),
        TextColumn("{task.fields[what]}"), console=console, transient=True,
        disable=not console.is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task(item.name, total=None, what=f"about {minutes(expected)}")

        def tell(done: int, total: int, what: str) -> None:
            nonlocal said, part
            progress.update(task, completed=done, total=total or None, what=escape(what))
            tenth = 10 * done // total if total else 0
            if total != part:
                said, part = 0, total
            if not console.is_terminal and expected > 30 and tenth > said:
                said = tenth
                console.print(f"{item.name}: {done} of {total}: {what}", highlight=False)

        yield tell


def _line(one: Verified) -> str:
    colour = COLOURS[one.outcome.status]
    how = f"run here {one.ran_at[:16]}" if one.cached else f"run here, {minutes(one.seconds)}"
    if one.basis == RECORDED:
        how = f"recorded: {one.record}"
    return (
        f"[{colour}]{one.outcome.status:13}[/]  {one.item.name}: "
        f"{escape(one.outcome.detail)}  [dim]({how})[/]"
    )


def _listed(
    items: tuple[Item, ...], store: Store, lane: str, records: Mapping[str, Recorded]
) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("item", "section", "forecast", "claim"):
        table.add_column(title, justify="right" if title == "forecast" else "left")
    for item in items:
        held = at_no_cost(store, item, lane, ROOT, records.get(item.name))
        span = minutes(forecast(store, item, lane))
        if held is not None:
            span = "recorded" if held.record else "kept"
        table.add_row(item.name, item.section, span, item.claim)
    return table


def leave(path: Path, told: dict[str, object], *, whole: bool) -> None:
    """Leave the document for the report; of a selection beside what the lane left before."""
    if not whole:
        try:
            told = merged(json.loads(path.read_text(encoding="utf-8")), told)
        except (OSError, ValueError):
            pass
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def run_lane(
    items: tuple[Item, ...],
    lane: str,
    store: Store,
    no_cache: bool,
    records: Mapping[str, Recorded],
    err: Console,
) -> list[Verified]:
    """Run the items, telling of each as it ends. Broken off, the rest is left out."""
    found = {
        item.name: None if no_cache else at_no_cost(store, item, lane, ROOT, records.get(item.name))
        for item in items
    }
    ahead = [item for item in items if found[item.name] is None]
    spans = sum(forecast(store, item, lane) for item in ahead)
    read = sum(one is not None and bool(one.record) for one in found.values())
    err.print(
        f"{len(items)} items, {len(items) - len(ahead) - read} run here before, {read} recorded, "
        f"{len(ahead)} to run: about {minutes(spans)}",
        highlight=False,
    )
    verified: list[Verified] = []
    for item in items:
        one = found[item.name]
        if one is None:
            with shown(err, item, forecast(store, item, lane)) as tell:
                one = run_item(item, lane, ROOT, store, tell)
        one = settled(one, lane, records.get(item.name))
        verified.append(one)
        err.print(_line(one), highlight=False)
        for finding in one.outcome.findings[:FINDINGS_SHOWN]:
            err.print(f"    {escape(finding)}", highlight=False)
        more = len(one.outcome.findings) - FINDINGS_SHOWN
        if more > 0:
            err.print(f"    and {more} more (all of them with --json)", highlight=False)
    return verified


@click.command(name="verify")
@click.option("--lane", type=click.Choice(LANES), default="fast", show_default=True,
              help="Samples, as in `make test`, or everything, for hours.")  # fmt: skip
@click.option("--only", multiple=True, metavar="ITEM", help="Run this item; may be repeated.")
@click.option("--list", "listing", is_flag=True, help="List the items of the lane, run none.")
@click.option("--no-cache", is_flag=True, help="Ignore kept results and records; run every item.")
@click.option("--record", "recording", is_flag=True,
              help="Run nothing: write certification/records/ of what was run here.")  # fmt: skip
@click.option(
    "--from",
    "source",
    metavar="CHECKOUT",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="With --record: record what was run in that checkout.",
)
@click.option(
    "--json", "as_document", is_flag=True, help="Print one JSON document on standard output."
)
def command(
    lane: str,
    only: tuple[str, ...],
    listing: bool,
    no_cache: bool,
    recording: bool,
    source: Path | None,
    as_document: bool,
) -> None:
    """Verify the kernel's code: proofs, coverage, mutants, requirements."""
    err = Console(stderr=True, soft_wrap=True)
    store = Store.of(ROOT)
    try:
        items = chosen(FULL if recording else lane, only)
        if source is not None and not recording:
            raise UnknownItem("--from says whose runs to record: it goes with --record")
        if recording and (listing or as_document or no_cache):
            raise UnknownItem("--record writes records and nothing else; it goes with --only")
        if recording:
            sys.exit(make(ROOT, source or ROOT, only))
        records = recorded(ROOT)
    except (UnknownItem, RecordsUnreadable) as error:
        click.echo(f"dolphin verify: {error}", err=True)
        sys.exit(BAD_INPUT)
    if listing:
        if as_document:
            rows = [{"name": item.name, "section": item.section, "claim": item.claim,
                     "forecast_s": forecast(store, item, lane)} for item in items]  # fmt: skip
            click.echo(json.dumps({"lane": lane, "items": rows}))
        else:
            Console(soft_wrap=True).print(_listed(items, store, lane, records))
        return
    try:
        verified = run_lane(items, lane, store, no_cache, records, err)
    except KeyboardInterrupt:
        err.print("interrupted: finished items are kept, and the next run continues from there")
        sys.exit(CODES[NOT_RUN])
    told = document(lane, verified, whole=not only)
    leave(ROOT / "runs" / "verify" / f"{lane}.json", told, whole=not only)
    state = summed(verified)
    if as_document:
        click.echo(json.dumps(told))
    else:
        states = Counter(one.outcome.status for one in verified)
        bases = Counter(one.basis for one in verified if one.outcome.status != NOT_RUN)
        stale = sum(one.basis == "stale" for one in verified)
        counts = [
            f"{states[HOLDS]} hold", f"{states[DOES_NOT_HOLD]} do not hold",
            f"{states[NOT_RUN]} not run" + (f" ({stale} with a stale record)" if stale else ""),
        ]  # fmt: skip
        click.echo(f"{bases['run here']} were run here, {bases[RECORDED]} are taken from records"
                   " (a record is a claim: `make check-all` runs all and compares)")  # fmt: skip
        words = {HOLDS: "holds", DOES_NOT_HOLD: "DOES NOT HOLD", NOT_RUN: "INCOMPLETE"}
        click.echo(f"{lane} lane: {', '.join(counts)}: {words[state]}")
    sys.exit(CODES[state])
