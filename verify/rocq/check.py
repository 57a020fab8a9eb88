"""Are the Rocq proofs whole? Compile, ask for the axioms, let coqchk follow; one JSON document.

Rules of this file:

*   A theorem counts when its file states it (``Definition name : Prop``), proves it (``Theorem
    name_holds : name``), compiles, and Rocq names no axiom of it outside ``REALS``.
*   What is admitted counts against the whole: ``Admitted``, ``admit``, ``Axiom``, ``Parameter`` and
    their like in a source, comments apart.
*   ``REALS`` are the four axioms on which Coq's own real numbers rest. coqchk checks our files and
    takes the standard library as it is (-norec); the library's own axioms are not ours to count.
*   Without coqc or coqchk: "not run", exit 3. Exit 0 holds, 1 does not hold, 2 a wrong call.

Standard library alone, so that ``make -C spec/rocq check`` needs no environment. Not here: the
comparison with the Python (``compare.py``).
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "spec" / "rocq"
REALS = frozenset(
    {
        "ClassicalDedekindReals.sig_forall_dec",
        "ClassicalDedekindReals.sig_not_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
        "Classical_Prop.classic",
    }
)
ADMITTING = re.compile(
    r"\b(Admitted|admit|give_up|Axioms?|Parameters?|Conjecture|Hypothes[ie]s|Variables?"
    r"|Abort|bypass_check|Unset\s+\w+\s+Checking)\b"
)
STATEMENT = re.compile(r"^Definition (\w+) : Prop :=", re.MULTILINE)
THEOREM = re.compile(r"^Theorem (\w+)_holds\s*:\s*(\w+)\.", re.MULTILINE)


def say(line: str, to: TextIO = sys.stdout) -> None:
    """Write one line."""
    to.write(line + "\n")
    to.flush()


def without_comments(text: str) -> str:
    """Return Rocq source without its comments, which nest; lines keep their numbers."""
    kept: list[str] = []
    depth = 0
    place = 0
    while place < len(text):
        two = text[place : place + 2]
        if two == "(*":
            depth += 1
            place += 2
        elif two == "*)" and depth:
            depth -= 1
            place += 2
        else:
            if not depth or text[place] == "\n":
                kept.append(text[place])
            place += 1
    return "".join(kept)


def admissions(name: str, text: str) -> list[str]:
    """Return one line for each word in ``text`` that takes something without proof."""
    found = []
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        found += [f"{name}:{number}: {match.group(0)}" for match in ADMITTING.finditer(line)]
    return found


def statements(text: str) -> list[str]:
    """Return the names a file states."""
    return STATEMENT.findall(without_comments(text))


def proved(text: str) -> list[str]:
    """Return the names a file proves by ``Theorem name_holds : name.``."""
    return [name for name, of in THEOREM.findall(without_comments(text)) if name == of]


def sources(folder: Path) -> list[Path]:
    """Return the proof files of a folder."""
    return sorted(folder.glob("*.v"))


def build(folder: Path, build_folder: Path) -> subprocess.CompletedProcess[str]:
    """Compile every file of ``folder`` by its Makefile."""
    files = " ".join(path.stem for path in sources(folder))
    return subprocess.run(
        ["make", "-s", "-C", str(folder), f"BUILD={build_folder}", f"FILES={files}"],
        capture_output=True,
        text=True,
        check=False,
    )


def axioms_of(build_folder: Path, theorems: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Return for each theorem the axioms that Rocq says it rests on."""
    lines = [f"From Kernel Require {module}." for module in sorted({m for m, _ in theorems})]
    for module, name in theorems:
        lines += [
            f'Goal True. idtac "@ {module}.{name}". Abort.',
            f"Print Assumptions {module}.{name}_holds.",
        ]
    place = build_folder / "assumptions"
    place.mkdir(exist_ok=True)
    (place / "Assumptions.v").write_text("\n".join(lines) + "\n")
    told = subprocess.run(
        ["nice", "-n", "15", "coqc", "-q", "-Q", str(build_folder), "Kernel", "Assumptions.v"],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode != 0:
        raise RuntimeError(told.stderr.strip())
    found: dict[str, list[str]] = {}
    now = ""
    for line in told.stdout.splitlines():
        if line.startswith("@ "):
            now = line[2:]
            found[now] = []
        elif (match := re.match(r"([\w.]+)(\s*:|$)", line)) and match.group(1) != "Axioms":
            found[now].append(match.group(1))
        elif line.startswith("Closed under"):
            continue
    return found


def coqchk(build_folder: Path, modules: list[str]) -> subprocess.CompletedProcess[str]:
    """Let the independent checker follow every proof of ``modules``."""
    asked = [word for module in modules for word in ("-norec", f"Kernel.{module}")]
    return subprocess.run(
        ["nice", "-n", "15", "coqchk", "-silent", "-o", "-Q", str(build_folder), "Kernel", *asked],
        capture_output=True,
        text=True,
        check=False,
    )


def last_words(text: str) -> str:
    """Return what a failed tool said, on one line."""
    return " ".join(text.split())[-400:]


def examine(folder: Path, build_folder: Path, with_coqchk: bool) -> dict[str, Any]:
    """Return the document. ``ok`` is true only if nothing is wrong and nothing was left out."""
    problems: list[str] = []
    stated: list[tuple[str, str]] = []
    admitted: list[str] = []
    for path in sources(folder):
        text = path.read_text()
        admitted += admissions(path.name, text)
        proofs = set(proved(text))
        for name in statements(text):
            # A definition of the sort Prop without a proof is a predicate only if it has arguments.
            if name in proofs:
                stated.append((path.stem, name))
            else:
                problems.append(f"{path.name}: {name} is stated and not proved")
    problems += [f"{line}: taken without proof" for line in admitted]
    made = build(folder, build_folder)
    beyond: list[str] = []
    checked = "not run"
    if made.returncode != 0:
        problems.append(f"does not compile: {last_words(made.stdout + made.stderr)}")
    else:
        told = axioms_of(build_folder, stated)
        for theorem, axioms in told.items():
            for axiom in sorted(set(axioms) - REALS):
                beyond.append(axiom)
                problems.append(f"{theorem}: rests on {axiom}")
        problems += [
            f"{module}.{name}: Rocq was not asked"
            for module, name in stated
            if f"{module}.{name}" not in told
        ]
        if with_coqchk:
            verdict = coqchk(build_folder, [path.stem for path in sources(folder)])
            checked = "clean" if verdict.returncode == 0 else "rejected"
            if verdict.returncode != 0:
                problems.append(f"coqchk: {last_words(verdict.stdout + verdict.stderr)}")
    return {
        "ok": not problems,
        "theorems": len(stated),
        "admitted": len(admitted),
        "axioms": len(set(beyond)),
        "axioms_beyond": sorted(set(beyond)),
        "coqchk": checked,
        "problems": problems,
    }


def main(arguments: list[str]) -> int:
    """Print the document and return the exit code."""
    parser = argparse.ArgumentParser(description="Check the Rocq proofs.")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--no-coqchk", action="store_true", help="leave the second checker out")
    parser.add_argument("--folder", type=Path, default=HERE, help="where the .v files are")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "rocq")
    given = parser.parse_args(arguments)
    needed = ["coqc"] if given.no_coqchk else ["coqc", "coqchk"]
    missing = [tool for tool in needed if shutil.which(tool) is None]
    if missing:
        line = f"not run: {', '.join(missing)} not installed (Debian: coq)"
        if given.json:
            say(json.dumps({"ok": None, "not_run": line}))
        say(line, sys.stderr)
        return 3
    if not sources(given.folder):
        say(f"{given.folder}: no .v file here", sys.stderr)
        return 2
    os.makedirs(given.build, exist_ok=True)
    document = examine(given.folder, given.build.resolve(), not given.no_coqchk)
    if given.json:
        say(json.dumps(document))
    else:
        say(
            f"{document['theorems']} theorems, {document['admitted']} admitted, "
            f"{document['axioms']} axioms beyond the reals', coqchk {document['coqchk']}"
        )
        for problem in document["problems"]:
            say(problem, sys.stderr)
    return 0 if document["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
