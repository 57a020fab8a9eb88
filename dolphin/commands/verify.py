"""``dolphin verify``: verify the kernel's code: proofs, coverage, mutants, requirements.

Rules of this file:

*   Each item is said to hold, not to hold, or not to have been run, with what was found by name.
*   Exit 0 only where every item holds; 1 where one does not; 2 bad input; 3 where something was not
    run. "Not run" is never "holds".
*   What held is not run again while its inputs are the same; ``--no-cache`` runs all. A run that is
    broken off keeps what it finished.
*   A whole lane leaves its document as ``runs/verify/<lane>.json``, which the report reads. A
    selection leaves none.

Not here: the items (``verify/``).
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from verify.item import DOES_NOT_HOLD, HOLDS, NOT_RUN, Item
from verify.models.tlc import ROOT
from verify.plan import LANES, UnknownItem, chosen
from verify.running import Tell, Verified, document, forecast, kept, run_item, summed
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
    how = f"cached {one.ran_at[:16]}" if one.cached else minutes(one.seconds)
    return (
        f"[{colour}]{one.outcome.status:13}[/]  {one.item.name}: "
        f"{escape(one.outcome.detail)}  [dim]({how})[/]"
    )


def _listed(items: tuple[Item, ...], store: Store, lane: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("item", "section", "forecast", "claim"):
        table.add_column(title, justify="right" if title == "forecast" else "left")
    for item in items:
        held = kept(store, item, lane, ROOT)
        span = "kept" if held is not None else minutes(forecast(store, item, lane))
        table.add_row(item.name, item.section, span, item.claim)
    return table


def run_lane(
    items: tuple[Item, ...], lane: str, store: Store, no_cache: bool, err: Console
) -> list[Verified]:
    """Run the items, telling of each as it ends. Broken off, the rest is left out."""
    found = {item.name: None if no_cache else kept(store, item, lane, ROOT) for item in items}
    ahead = [item for item in items if found[item.name] is None]
    spans = sum(forecast(store, item, lane) for item in ahead)
    err.print(
        f"{len(items)} items, {len(items) - len(ahead)} kept from before, "
        f"{len(ahead)} to run: about {minutes(spans)}",
        highlight=False,
    )
    verified: list[Verified] = []
    for item in items:
        one = found[item.name]
        if one is None:
            with shown(err, item, forecast(store, item, lane)) as tell:
                one = run_item(item, lane, ROOT, store, tell)
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
              help="fast is part of `make test`, full is `make check-all`.")  # fmt: skip
@click.option("--only", multiple=True, metavar="ITEM", help="Run this item; may be repeated.")
@click.option("--list", "listing", is_flag=True, help="List the items of the lane, run none.")
@click.option("--no-cache", is_flag=True, help="Run what held before, too.")
@click.option("--json", "as_document", is_flag=True, help="One JSON document on stdout.")
def command(
    lane: str, only: tuple[str, ...], listing: bool, no_cache: bool, as_document: bool
) -> None:
    """Verify the kernel's code: proofs, coverage, mutants, requirements."""
    err = Console(stderr=True, soft_wrap=True)
    store = Store.of(ROOT)
    try:
        items = chosen(lane, only)
    except UnknownItem as error:
        click.echo(f"dolphin verify: {error}", err=True)
        sys.exit(BAD_INPUT)
    if listing:
        if as_document:
            rows = [{"name": item.name, "section": item.section, "claim": item.claim,
                     "forecast_s": forecast(store, item, lane)} for item in items]  # fmt: skip
            click.echo(json.dumps({"lane": lane, "items": rows}))
        else:
            Console(soft_wrap=True).print(_listed(items, store, lane))
        return
    try:
        verified = run_lane(items, lane, store, no_cache, err)
    except KeyboardInterrupt:
        err.print("interrupted: finished items are kept, and the next run continues from there")
        sys.exit(CODES[NOT_RUN])
    told = document(lane, verified, whole=not only)
    if not only:
        folder = Path(ROOT) / "runs" / "verify"
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{lane}.draft"
        draft.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        draft.replace(folder / f"{lane}.json")
    state = summed(verified)
    if as_document:
        click.echo(json.dumps(told))
    else:
        counts = [f"{sum(one.outcome.status == each for one in verified)} {word}"
                  for each, word in ((HOLDS, "hold"), (DOES_NOT_HOLD, "do not hold"),
                                     (NOT_RUN, "not run"))]  # fmt: skip
        words = {HOLDS: "holds", DOES_NOT_HOLD: "DOES NOT HOLD", NOT_RUN: "INCOMPLETE"}
        click.echo(f"{lane} lane: {', '.join(counts)}: {words[state]}")
    sys.exit(CODES[state])
