"""What a check of `tests/tidy/` returns, and the files it is run over.

Rules of this folder:

*   A check is a pure function `(path, text) -> list[Finding]`. It opens no file, so that its
    samples are as real to it as the tree.
*   A finding says where, what, and what to do instead. The remedy is part of the check: who trips
    over a rule should not have to look for its reason.
*   A check that never rejected anything proves nothing, so each has `REJECTED`, a table of samples
    with the words of the finding they must yield, and `ALLOWED`, near misses it must not mind.
*   The files are those that git knows or would take: what is ignored is nobody's style.

Theory: TigerBeetle's `tidy.zig`, style as a plain test. Not here: what ruff, mypy and import-linter
already say (`pyproject.toml`, `.importlinter`).
"""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, order=True)
class Finding:
    """One place that breaks a rule. `line` counts from 1; 0 means the file as a whole."""

    path: str
    line: int
    what: str
    instead: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.what}\n    instead: {self.instead}"


Check = Callable[[str, str], list[Finding]]


@cache
def tree() -> tuple[str, ...]:
    """Return the paths of all files of the project, relative to its root, sorted."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
        return tuple(sorted(name for name in names if name and (ROOT / name).is_file()))
    # A source archive has no git: every file outside the folders that .gitignore names.
    ignored = {".venv", ".jars", "runs", "build", "dist", "__pycache__", ".git"}
    return tuple(
        sorted(
            str(path.relative_to(ROOT))
            for path in ROOT.rglob("*")
            if path.is_file() and not ignored & set(path.relative_to(ROOT).parts)
        )
    )


def files(*suffixes: str, under: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield path and text of the files with one of `suffixes`, in the folders `under` (or all)."""
    for name in tree():
        inside = not under or any(name.startswith(folder + "/") for folder in under)
        # A file that another test made and took away again is nobody's style either.
        if inside and name.endswith(suffixes) and (ROOT / name).is_file():
            yield name, (ROOT / name).read_text(encoding="utf-8")


def over(check: Check, *suffixes: str, under: tuple[str, ...] = ()) -> list[Finding]:
    """Return what `check` finds in those files."""
    return [found for path, text in files(*suffixes, under=under) for found in check(path, text)]


def show(findings: list[Finding]) -> str:
    """Return the findings as a text for an assertion's message."""
    return "\n" + "\n".join(str(found) for found in sorted(findings))


def must_reject(check: Check, path: str, text: str, what: str) -> None:
    """Assert that `check` finds something in the sample, and says `what` of it."""
    found = check(path, text)
    assert found, f"the check lets this pass:\n{text}"
    assert any(what in each.what for each in found), show(found)
    assert all(each.instead for each in found), "a finding without a remedy"
