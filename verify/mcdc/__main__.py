"""`python -m verify.mcdc run|report`.

    python -m verify.mcdc run kernel -- -m pytest tests/kernel      # or: -- script.py, -- -m module
    python -m verify.mcdc report [--json] [--html FILE] [--justify FILE] [--count req|all] [--stubs]

Rules of this file:

*   Exit 0: every obligation is met or justified, and no justification is wrong. 1: it is not so
    (for `run`: what was run said so). 2: bad input, in one line. 3: not run: there is no evidence.
*   `--json` prints one document.

Not here: anything that measures or judges.
"""

import argparse
import json
import runpy
import sys
from pathlib import Path

from . import justify, report
from .runtime import BadInput, Data, NotRun, Recorder, Run

DATA = Path("build/mcdc.json")


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="mcdc", description="MC/DC coverage of Python code")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a program or pytest with targets instrumented")
    run.add_argument("targets", nargs="+", metavar="PACKAGE")
    show = commands.add_parser("report", help="figures and gaps of a run")
    run.add_argument("--data", type=Path, default=DATA, help=f"default: {DATA}")
    show.add_argument(
        "--data", type=Path, action="append", help=f"of one run or of several; default: {DATA}"
    )
    show.add_argument("--count", choices=sorted(report.COUNTED), default="req", help="which tests")
    show.add_argument("--contract", action="append", default=[], metavar="DECORATOR")
    show.add_argument(
        "--contract-part", action="append", default=[], metavar="DECORATOR",
        help="a contract that production leaves out",
    )  # fmt: skip
    show.add_argument("--justify", type=Path, action="append", default=[], metavar="TOML")
    show.add_argument("--html", type=Path, metavar="FILE")
    show.add_argument("--json", action="store_true")
    show.add_argument("--stubs", action="store_true", help="a justification to fill in per gap")
    return parser


def run(targets: list[str], data: Path, program: list[str]) -> int:
    """Run `-m module …` or `script …` with the targets instrumented; return its exit code."""
    if not program:
        raise BadInput("run: expected `-- -m module …` or `-- script.py …`")
    as_module = program[0] == "-m"
    name, *rest = program[1:] if as_module else program
    if as_module and name == "pytest":
        import pytest

        chosen = [part for target in targets for part in ("--mcdc", target)]
        plugin = ["-p", f"{__package__}.pytest_plugin"]
        return int(pytest.main([*plugin, *chosen, f"--mcdc-data={data}", *rest]))
    if not as_module and not Path(name).is_file():
        raise BadInput(f"run: {name}: no such script")
    code, group = 0, "failed"  # until it has come to an end of its own
    sys.argv = [name, *rest]
    with Recorder(targets) as recorder:
        mine = Run(data)
        try:
            if as_module:
                runpy.run_module(name, run_name="__main__", alter_sys=True)
            else:
                sys.path.insert(0, str(Path(name).resolve().parent))
                runpy.run_path(name, run_name="__main__")
            group = "program"
        except SystemExit as leaving:
            group = "program"
            code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        finally:
            if mine.ours:
                recorder.pour(group)
                recorder.data.tests[group] = 1
                mine.end(recorder.finish())
    return code


def show(options: argparse.Namespace) -> int:
    """Print the report; return the exit code."""
    paths = options.data or [DATA]
    data = Data()
    for path in paths:
        data.merge(Data.read(path).document())
    found = report.build(data, options.count, options.contract, options.contract_part)
    for path in options.justify:
        justify.apply(found, justify.read(path), path)
    if options.html is not None:
        report.write_page(found, options.html)
    if options.stubs:
        sys.stdout.write(justify.stubs(found))
    elif options.json:
        sys.stdout.write(json.dumps(found.document(), indent=1) + "\n")
    else:
        sys.stdout.write(report.table(found))
    if not found.evidence:
        shown = ", ".join(str(path) for path in paths)
        sys.stderr.write(f"mcdc: {shown}: not run: no test of the counted groups passed\n")
        return 3
    return 0 if found.document()["ok"] else 1


def main(words: list[str]) -> int:
    """Run one command."""
    cut = words.index("--") if "--" in words else len(words)
    before, program = words[:cut], words[cut + 1 :]
    options = arguments().parse_args(before)
    try:
        if options.command == "run":
            return run(options.targets, options.data, program)
        return show(options)
    except BadInput as error:
        sys.stderr.write(f"mcdc: {error}\n")
        return 2
    except NotRun as error:
        sys.stderr.write(f"mcdc: {error}\n")
        return 3


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
