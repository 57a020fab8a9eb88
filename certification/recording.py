"""``python -m certification.recording``: which records are valid here, and writing new ones.

Rules of this file:

*   Without an option it says of each item what its record is worth in this tree (``standing.py``).
*   ``--write`` takes outcomes on standard input, as ``verify/gather.py`` gives them, of runs in the
    checkout ``--of`` (this one, by default), and writes the records of this tree. The hashes are
    of the files in that checkout, computed here: who ran the item is not asked.
*   Refused, item by item, with one line: files of the item that are in no commit (the record could
    not name what it speaks of), an outcome that is "not run", and a part in place of a record of
    the whole that still counts.
*   Exit codes: 0 done, 1 something was refused or is no item's record, 2 bad input.

It is started by ``dolphin verify`` as a process, so that verification shares no code with whoever
judges it. Not here: the outcomes.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Required, TypedDict

import click

from certification import record
from certification.shapes import BadInput, document
from certification.standing import RECORDED, ROOT, Now, Reads, Standing, parts_now, reads, standing

BAD_INPUT = 2


class Outcome(TypedDict, total=False):
    """What came out when an item was run, as ``verify/gather.py`` gives it."""

    item: Required[str]
    section: Required[str]
    claim: Required[str]
    lane: Required[str]
    status: Required[str]
    whole: Required[bool]
    detail: Required[str]
    figures: Required[dict[str, Any]]
    findings: Required[list[str]]
    seconds: Required[float | None]
    ran_at: Required[str]
    parts: dict[str, dict[str, int]]
    killers: dict[str, dict[str, int]]
    waived: dict[str, list[str]]


class Outcomes(TypedDict):
    """All of them, and the command that asked."""

    command: str
    items: list[Outcome]


class Refused(Exception):
    """A record that is not made, with the reason."""


def git(root: Path, *words: str) -> str:
    """Return what git says. Raises ``Refused``."""
    done = subprocess.run(
        ["git", "-C", str(root), *words], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["git failed"])[0]
        raise Refused(f"{root}: a record names a commit, and git says: {said}")
    return done.stdout


def uncommitted(root: Path, what: Reads) -> list[str]:
    """Return the files of an item that are in no commit, or not as they are in it."""
    words = ("status", "--porcelain", "--untracked-files=all", "--no-renames", "-z", "--")
    listed = git(root, *words, *(f":(glob){pattern}" for pattern in what.every))
    return sorted(line[3:] for line in listed.split("\0") if line)


def machine() -> str:
    """Return a line on this machine: processor, how many, system."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} processors, {platform.system()} {platform.release()}"


def parts_of(now: Now, what: Reads, told: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parts of an outcome with their hashes; what the tree has not is left out."""
    hashes = parts_now(now, what)
    killers = told.get("killers", {})
    tests = now.tests(what.tests) if killers else {}
    found: dict[str, dict[str, Any]] = {}
    for name, figures in told.get("parts", {}).items():
        if name not in hashes:
            continue
        part: dict[str, Any] = {"sha256": hashes[name], **figures}
        if killers:
            by: dict[str, int] = {}
            for test, count in killers.get(name, {}).items():
                # A test that is not found by its name is no witness: its kills do not count.
                key = tests.get(test.partition("[")[0], "unknown")
                by[key] = by.get(key, 0) + count
            part["killers"] = by
            part["waived"] = sorted(told.get("waived", {}).get(name, ()))
        found[name] = part
    return found


def recorded(
    now: Now, what: Reads, told: Mapping[str, Any], command: str, before: Standing
) -> dict[str, Any]:
    """Return the record of an outcome. Raises ``Refused``."""
    if told["status"] not in (record.HOLDS, record.DOES_NOT_HOLD):
        raise Refused(f"{told['status']} is no outcome: {told['detail']}")
    loose = uncommitted(now.root, what)
    if loose:
        more = f" and {len(loose) - 3} more" if len(loose) > 3 else ""
        raise Refused(f"in no commit as they are: {', '.join(loose[:3])}{more}; commit, then run")
    if not told["whole"] and before.state == RECORDED:
        raise Refused("only a part was run, and the record of the whole still counts")
    commit = git(now.root, "rev-parse", "HEAD").strip()
    return {
        "schema": record.SCHEMA,
        **{name: told[name] for name in ("item", "section", "claim", "lane", "status", "whole",
                                         "detail", "figures", "findings")},
        "inputs_sha256": now.inputs(what),
        "ran": {
            "at": told["ran_at"],
            "seconds": told["seconds"],
            "machine": machine(),
            "python": platform.python_version(),
            "command": command,
            "commit": commit,
        },
        "parts": parts_of(now, what, told),
    }  # fmt: skip


def _figure(figures: Mapping[str, Any], name: str) -> Any:
    found: Any = figures
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _one(one: Standing, what: Reads) -> dict[str, Any]:
    return {
        "item": one.item,
        "state": one.state,
        "why": one.why,
        "inputs_sha256": one.inputs_now,
        "holds": one.holds,
        "figures": one.figures,
        "compared": {name: _figure(one.figures, name) for name in what.compared},
        "record": None if one.record is None else {
            name: value for name, value in one.record.items() if name != "parts"
        },
    }  # fmt: skip


def _write(root: Path, of: Path, only: tuple[str, ...]) -> bool:
    """Write the records of the outcomes on standard input; return whether none was refused."""
    given = document(sys.stdin.buffer.read(), Outcomes, "standard input")
    listed, now = reads(root), Now(of)
    here = now if of == root else Now(root)
    whole = True
    for told in given["items"]:
        item = told["item"]
        if only and item not in only:
            continue
        if item not in listed:
            raise BadInput(f"standard input: item {item!r}: certification/inputs.toml has no such")
        try:
            kept = record.read(record.file_of(root, item), root)
            before = standing(here, item, listed[item], kept)
            made = recorded(now, listed[item], told, given["command"], before)
        except Refused as why:
            click.echo(f"{item}: not recorded: {why}", err=True)
            whole = False
            continue
        path = record.write(root, made)
        after = standing(here, item, listed[item], made)
        click.echo(f"{item}: {path.relative_to(root)}: {made['detail']}: {after.state} here"
                   + (f" ({after.why})" if after.why else ""))  # fmt: skip
    return whole


@click.command(name="python -m certification.recording")
@click.argument("items", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--write", "writing", is_flag=True, help="Record the outcomes on standard input.")
@click.option("--of", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="With --write: the checkout in which they were run.")  # fmt: skip
@click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path),
              default=ROOT, hidden=True)  # fmt: skip
def main(items: tuple[str, ...], as_json: bool, writing: bool, of: Path | None, root: Path) -> None:
    """Say what the records of ITEMS (default: all) are worth in this tree, or write them."""
    try:
        listed, now = reads(root), Now(root)
        for item in items:
            if item not in listed:
                raise BadInput(f"{item}: no such item, expected one of {', '.join(listed)}")
        if writing:
            sys.exit(0 if _write(root, (of or root).resolve(), items) else 1)
        found = [
            standing(now, item, what, record.read(record.file_of(root, item), root))
            for item, what in listed.items()
            if not items or item in items
        ]
        strays = record.strays(root, listed)
    except BadInput as error:
        click.echo(f"records: {error}", err=True)
        sys.exit(BAD_INPUT)
    if as_json:
        rows = [_one(one, listed[one.item]) for one in found]
        click.echo(json.dumps({"items": rows, "strays": list(strays)}))
        return
    for one in found:
        said = one.why or f"{one.when} at {one.told['ran']['commit'][:9]}: {one.told['detail']}"
        click.echo(f"{one.item:14} {one.state:17} {said}")
    for name in strays:
        click.echo(f"records: {record.stray_said(name)}", err=True)
    sys.exit(1 if strays else 0)


if __name__ == "__main__":
    main()
