"""``dolphin impact``: what depends on a name or a change, and what to run again.

Rules of this file:

*   Exit 0 with an answer; 2 for a name that is none, with the nearest, and for an unknown revision.
*   Each line names a place, the reason, and where to look. ``--json`` has every one of them; for
    people, what is far away is counted.

Not here: the graph, and what the answer rests on (``verify/impact.py``).
"""

import json
import textwrap
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree as Drawing

from verify.graph import CODE, MODEL, PROOF, REQUIREMENT, SECTIONS, SPEC, TEST, Hit
from verify.impact import (
    ROOT,
    Impact,
    ImpactError,
    build,
    difference,
    document,
    impact,
    named,
)

SHOWN_MAX = 12
WIDTH = 200
COMMAND_WIDTH = 96
BAD_INPUT = 2
OVER = "is over the module"


def _line(hit: Hit) -> str:
    place = f"[dim]{hit.node.file}:{hit.node.line}[/]"
    because = f"  {escape(hit.why)} {escape(hit.via)}" if hit.via else ""
    return f"[bold]{escape(hit.node.name)}[/]{because}  {place}"


def _code(branch: Drawing, hits: list[Hit], depth: int) -> None:
    """Draw code as a tree: what is below a place rests on it."""
    names = {hit.node.name for hit in hits}
    below: dict[str, list[Hit]] = {}
    for hit in hits:
        below.setdefault(hit.via if hit.via in names else "", []).append(hit)

    def hang(parent: Drawing, name: str) -> None:
        for hit in below.get(name, []):
            if hit.depth <= depth:
                hang(parent.add(_line(hit)), hit.node.name)

    hang(branch, "")
    far = sum(hit.depth > depth for hit in hits)
    if far:
        branch.add(f"[dim]and {far} further away (--depth)[/]")


def _list(branch: Drawing, hits: list[Hit], depth: int) -> None:
    # A requirement that a far test happens to verify as well is far.
    near = [hit for hit in hits if hit.depth <= (depth if "::" not in hit.via else 2)]
    near.sort(key=lambda hit: hit.why == OVER)  # what checks it stands before what only holds it
    for hit in near[:SHOWN_MAX]:
        branch.add(_line(hit))
    if len(hits) > len(near[:SHOWN_MAX]):
        branch.add(f"[dim]and {len(hits) - len(near[:SHOWN_MAX])} more (--json)[/]")


def _tests(branch: Drawing, hits: list[Hit], near: tuple[str, ...]) -> None:
    tests = [hit for hit in hits if hit.node.what in ("test", "scenario")]
    direct = [hit for hit in tests if hit.node.name in near]
    for hit in direct[:SHOWN_MAX]:
        branch.add(_line(hit))
    if len(direct) > SHOWN_MAX:
        branch.add(f"[dim]and {len(direct) - SHOWN_MAX} more that rest on it directly[/]")
    far = Counter(hit.node.name.partition("::")[0] for hit in tests if hit.node.name not in near)
    if far:
        branch.add(
            f"[dim]{sum(far.values())} more in {len(far)} files, through the kernel's dispatch[/]"
        )


def _print(found: Impact, depth: int) -> None:
    console = Console(soft_wrap=True, highlight=False)
    if not console.is_terminal:
        console = Console(soft_wrap=True, highlight=False, width=WIDTH)
    for name, why in found.roots.items():
        gone = " [red](no longer there)[/]" if name in found.removed else ""
        console.print(f"[bold]{escape(name)}[/]  {escape(why)}{gone}")
    for file in found.unknown:
        console.print(f"[dim]{escape(file)}  has no places of its own[/]")
    titles = {
        CODE: "code", SPEC: "specs", MODEL: "models that check it", PROOF: "proofs",
        REQUIREMENT: "requirements", TEST: "tests",
    }  # fmt: skip
    for section in SECTIONS:
        hits = [hit for hit in found.section(section) if hit.depth > 0]
        if not hits:
            continue
        drawing = Drawing(f"[bold underline]{titles[section]}[/] ({len(hits)})")
        if section == CODE:
            _code(drawing, hits, depth)
        elif section == TEST:
            _tests(drawing, hits, found.direct)
        else:
            _list(drawing, hits, depth)
        console.print(drawing)
    console.print("[bold underline]run again[/]")
    for words in found.commands() or ["nothing"]:
        lines = textwrap.wrap(words, COMMAND_WIDTH, break_long_words=False, break_on_hyphens=False)
        console.print("  " + escape(" \\\n      ".join(lines)))


@click.command(name="impact")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--diff", "revision", metavar="REV", help="What the working tree changed since REV.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
@click.option("--depth", type=click.IntRange(1), default=3, show_default=True,
              help="How many dependencies away to look.")  # fmt: skip
@click.option("--root", type=click.Path(path_type=Path), default=ROOT, hidden=True)
def command(
    names: tuple[str, ...], revision: str | None, as_json: bool, depth: int, root: Path
) -> None:
    """Say what hangs on NAME, and what to run again.

    NAME is an action, a function, an invariant, an operator, a requirement, a module or a file.
    """
    if bool(names) == bool(revision):
        click.echo("dolphin impact: give a NAME or --diff REV, and one of them", err=True)
        raise SystemExit(BAD_INPUT)
    try:
        with Console(stderr=True).status("reading the tree"):
            changed = difference(root, revision) if revision is not None else None
            tree = build(root)
            if changed is not None:
                found = impact(tree, changed.places, changed.files, changed.unknown)
            else:
                roots = {place: "asked for" for name in names for place in named(tree, name)}
                found = impact(tree, roots)
    except ImpactError as error:
        click.echo(f"dolphin impact: {error}", err=True)
        raise SystemExit(BAD_INPUT) from error
    if as_json:
        click.echo(json.dumps(document(tree, found), indent=1, ensure_ascii=False))
    else:
        _print(found, depth)
