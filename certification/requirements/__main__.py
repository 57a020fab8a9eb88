"""``python -m certification.requirements``: each requirement, and what shows that it is met.

Rules of this file:

*   Everything is read and judged before anything is written; bad input writes nothing.
*   Exit code: 0 every gate holds, 1 one does not, 2 bad input, 3 outcomes were not recorded (or are
    of other sources) and nothing is known to be wrong.
*   ``--check`` judges and writes nothing. Otherwise the exports and the matrix go to ``--out``,
    outside the tree.
*   ``--json`` prints exactly one document on stdout.

Not here: the gates (``gates.py``).
"""

from pathlib import Path

import click

from certification.requirements.catalogue import GROUPS, CatalogueError, load
from certification.requirements.exports import canonical, document, junit, reqif, sarif
from certification.requirements.gates import DOES_NOT_HOLD, HOLDS, VERIFIED, Judgement, judge
from certification.requirements.identity import FOLDER, ROOT
from certification.requirements.links import scan
from certification.requirements.matrix import page
from certification.requirements.outcomes import load as load_outcomes

TABLES = FOLDER.relative_to(ROOT)
OUT = "build/requirements"
OUTCOMES = "build/requirements.json"
SHOWN_MAX = 40
EXIT = {HOLDS: 0, DOES_NOT_HOLD: 1}
NOT_RUN_CODE = 3


def _print(judgement: Judgement) -> None:
    low = [one for one in judgement.shown.values() if one.requirement.low]
    high = len(judgement.shown) - len(low)
    click.echo(f"{len(judgement.shown)} requirements: {high} high-level, {len(low)} low-level")
    for group, about in GROUPS.items():
        its = [one for one in judgement.shown.values() if one.requirement.group == group]
        good = sum(one.status == VERIFIED for one in its)
        if its:
            click.echo(f"  {group:10} {good:>3} of {len(its):>3} verified   {about}")
    links = ", ".join(f"{count} in {kind}" for kind, count in judgement.links.items())
    click.echo(f"links: {links}")
    for finding in judgement.findings[:SHOWN_MAX]:
        click.echo(finding.row())
    if len(judgement.findings) > SHOWN_MAX:
        click.echo(f"and {len(judgement.findings) - SHOWN_MAX} more (--json names all)")
    if judgement.reason:
        click.echo(f"not run: {judgement.reason}")
    click.echo(judgement.status)


def _write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        draft = folder / f"{name}.draft"
        draft.write_text(text, encoding="utf-8")
        draft.replace(folder / name)


@click.command(name="requirements")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
@click.option("--check", is_flag=True, help="Judge alone; write nothing.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help=f"Default: {OUT}.")
@click.option(
    "--outcomes", type=click.Path(path_type=Path), default=None, help=f"Default: {OUTCOMES}."
)
@click.option(
    "--root", type=click.Path(path_type=Path), default=ROOT, help="Folder of the sources."
)
def main(as_json: bool, check: bool, out: Path | None, outcomes: Path | None, root: Path) -> None:
    """Judge the requirements, and write the matrix and the exports."""
    try:
        read = load(root / TABLES)
        links = scan(root)
    except (CatalogueError, OSError, SyntaxError, UnicodeDecodeError) as error:
        click.echo(f"requirements: {error}", err=True)
        raise SystemExit(2) from error
    found = load_outcomes(outcomes or root / OUTCOMES, read.sha256, root)
    judgement = judge(read, links, found)
    data = document(read, judgement, found)
    folder = out or root / OUT
    if not check:
        try:
            _write(
                folder,
                {
                    "requirements.json": canonical(data),
                    "requirements.sarif": canonical(sarif(judgement)),
                    "requirements.reqif": reqif(judgement, found),
                    "requirements.junit.xml": junit(judgement),
                    "matrix.html": page(data),
                },
            )
        except OSError as error:
            click.echo(f"requirements: {folder}: cannot be written: {error.strerror}", err=True)
            raise SystemExit(2) from error
    if as_json:
        click.echo(canonical(data), nl=False)
    else:
        _print(judgement)
        if not check:
            click.echo(f"matrix  {folder / 'matrix.html'}")
    raise SystemExit(EXIT.get(judgement.status, NOT_RUN_CODE))


if __name__ == "__main__":
    main()
