"""``python -m certification RUN_DIR``: write the report and the evidence of one run.

Rules of this file:

*   Everything is read and judged before anything is written; bad input writes nothing.
*   Both files are written beside their final name and then renamed: a reader sees the old or the
    new. A report that is there and says something else is kept under a number, and one line says
    so; the same report is left as it is.
*   Exit code: 0 PASS, 1 FAIL, 2 bad input, 3 INCOMPLETE; of the package's verdict, or with
    ``--session-verdict`` of the session's.
*   ``--json`` prints exactly one document on stdout; what people read goes there otherwise.

Not here: what holds (``claims.py``).
"""

import json
import os
import sys
from pathlib import Path

import click
from rich.console import Console

from certification.artefacts import EVIDENCE, REPORT, collect, numbered
from certification.claims import DOES_NOT_HOLD, NOT_RUN, verdicts
from certification.collectors import judge
from certification.evidence import canonical, evidence
from certification.page import page
from certification.shapes import BadInput
from certification.terminal import all_lines, package_lines

ROOT = Path(__file__).resolve().parent.parent
BAD_INPUT = 2


def _write(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _keep_older(folder: Path, files: dict[str, str]) -> str:
    """Give files that are there and differ a number; return that in words, "" without any."""
    there = {name: folder / name for name in files if (folder / name).exists()}
    if all(path.read_text("utf-8", "replace") == files[name] for name, path in there.items()):
        return ""
    number = 1
    while any(numbered(folder, name, number).exists() for name in files):
        number += 1
    for name, path in there.items():
        path.rename(numbered(folder, name, number))
    kept = " and ".join(numbered(folder, name, number).name for name in there)
    return f"{folder}: an older report says something else; kept as {kept}"


def _coloured(text: str, colour: str) -> str:
    return click.style(text, fg=colour, bold=True)


@click.command(name="certification")
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
@click.option("--session-verdict", is_flag=True, help="Exit by the session's verdict alone.")
@click.option("--package-only", is_flag=True, hidden=True, help="Print the package's lines alone.")
@click.option(
    "--check",
    type=click.Path(path_type=Path),
    help="Output of `dolphin check --json`, where it is not in the run's folder.",
)
@click.option(
    "--junit",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A JUnit file, where it is not in the run's folder; may be repeated.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=ROOT,
    hidden=True,
    help="The project's folder.",
)
def main(
    run_dir: Path,
    as_json: bool,
    session_verdict: bool,
    package_only: bool,
    check: Path | None,
    junit: tuple[Path, ...],
    root: Path,
) -> None:
    """Write report.html and evidence.json of the run in RUN_DIR, and say the verdict."""
    try:
        with Console(stderr=True).status("reading") as status:
            inputs = collect(
                run_dir,
                root,
                os.environ,
                check=check,
                junit=junit,
                progress=lambda name: status.update(f"reading {name}"),
            )
        claims = judge(inputs)
        document = evidence(inputs, claims)
        text = page(inputs, claims)
    except BadInput as error:
        click.echo(f"dolphin certify: {error}", err=True)
        sys.exit(BAD_INPUT)
    report, evidence_file = run_dir / REPORT, run_dir / EVIDENCE
    files = {REPORT: text, EVIDENCE: canonical(document)}
    try:
        older = _keep_older(run_dir, files)
        for name, content in files.items():
            _write(run_dir / name, content)
    except OSError as error:
        click.echo(
            f"dolphin certify: {error.filename}: cannot be written: {error.strerror}", err=True
        )
        sys.exit(BAD_INPUT)
    if older:
        click.echo(f"dolphin certify: {older}", err=True)
    said = verdicts(claims)
    code = said.exit_code(by_session=session_verdict)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "ok": code == 0,
                    "session": said.session,
                    "package": said.package,
                    "claims": document["counts"],
                    "does_not_hold": [
                        claim.id for claim in claims if claim.status == DOES_NOT_HOLD
                    ],
                    "not_run": [claim.id for claim in claims if claim.status == NOT_RUN],
                    "report": str(report),
                    "evidence": str(evidence_file),
                }
            )
        )
    else:
        lines = all_lines(claims, report, evidence_file, _coloured)
        for line in package_lines(claims, _coloured) if package_only else lines:
            click.echo(line)
    sys.exit(code)


if __name__ == "__main__":
    main(prog_name="python -m certification")
