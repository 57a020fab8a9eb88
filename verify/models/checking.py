"""`dolphin check`: run the manifest's rows and judge each by what is pinned.

Rules of this file:

*   A row holds only when TLC said what was expected *and* the counts, the configuration's hash and
    the fired actions are the pinned ones. Every way to differ is one sentence in ``problems``.
*   A negative control holds when exactly the named violation was found. A control that passes, or
    fails for another reason, is a fault of the suite, not a success.
*   Two JVMs with one worker each, the long ones first; the small ones share two JVMs (``jvm.py``).
    Results are cached under the hash of every
    module text, the configuration, the mode and the jar: a row whose inputs are the same is not run
    again, and is shown with the date of its run. ``--no-cache`` runs all.
*   The suite itself is judged too: every ``.cfg`` and every control is registered, every row has
    its own, and every control's edits fit the models as they are.

Not here: the command line (``dolphin/commands/check.py``), drawings (``drawing.py``).
"""

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

from traces.audit.tlatools import JAR_SHA256
from traces.provenance import ROOT
from verify.models.controls import (
    TABLE,
    Control,
    control_cfg,
    control_texts,
    load_controls,
    row_of,
    write_control,
)
from verify.models.dot import DotError, Graph, read_dot
from verify.models.jvm import Many, open_many
from verify.models.manifest import (
    ManifestError,
    Row,
    introduce,
    modules_of,
    read_cfg,
    repin,
    sha256_of,
)
from verify.models.tlc import Step, TlcRun, run_tlc

SPEC_FOLDER = ROOT / "spec" / "tla"
CACHE_FOLDER = ROOT / ".cache" / "check"
CACHE_VERSION = 3
TIME_LIMIT_S = {"fast": 300.0, "exhaustive": 4 * 3600.0}
SMALL_STATES = 120_000  # generated; below it the JVM's first compiler wins
SHARED_STATES = 10_000  # generated; below it, and for controls, runs share a JVM


@dataclass(frozen=True)
class Judged:
    """A row, the run of it, and what is wrong."""

    row: Row
    run: TlcRun
    ran_at: str
    cached: bool
    problems: tuple[str, ...] = field(default_factory=tuple)

    @property
    def ok(self) -> bool:
        """Whether everything expected of the row holds."""
        return not self.problems


def control_of(folder: Path, row: Row) -> Control | None:
    """Return a row's control; None for a good model. Raises ``ManifestError``."""
    if not row.control:
        return None
    control = load_controls(folder).get(row.name)
    if control is None:
        raise ManifestError(f"{row.name}: there is no such control in {folder / TABLE}")
    return control


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def cache_key(folder: Path, row: Row) -> str:
    """Return the hash of everything a run's outcome depends on. Raises ``ManifestError``."""
    control = control_of(folder, row)
    if control is None:
        modules, cfg = modules_of(folder, row.module), sha256_of(folder / row.cfg)
    else:
        texts = control_texts(folder, control, row.module)
        modules = {name: _hash(text) for name, text in texts.items()}
        cfg = _hash(control_cfg(folder, control, row))
    parts = {
        "version": CACHE_VERSION,
        "jar": JAR_SHA256,
        "modules": modules,
        "cfg": cfg,
        "mode": row.mode,
        "coverage": row.coverage,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _from_cache(cache: Path, key: str) -> tuple[TlcRun, str] | None:
    path = cache / f"{key}.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        stored = data["run"]
        steps = tuple(Step(step["number"], step["action"], {}) for step in stored.pop("trace"))
        run = TlcRun(**{**stored, "trace": steps, "prints": tuple(stored["prints"])})
        return run, str(data["ran_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _into_cache(cache: Path, key: str, run: TlcRun, ran_at: str) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    stored = asdict(run)
    # States are not kept: a counterexample is drawn and exported from a fresh run.
    stored["trace"] = [{"number": step.number, "action": step.action} for step in run.trace]
    draft = cache / f"{key}.{id(run)}.draft"
    draft.write_text(json.dumps({"ran_at": ran_at, "run": stored}), encoding="utf-8")
    draft.replace(cache / f"{key}.json")


def run_row(
    folder: Path,
    row: Row,
    started: Callable[[subprocess.Popen[str]], None] | None = None,
    many: Many | None = None,
) -> TlcRun:
    """Run TLC on one row, now. Raises ``ManifestError`` where a control does not fit its model."""
    control = control_of(folder, row)
    if control is None:
        return _run(folder / f"{row.module}.tla", folder / row.cfg, row, started, many)
    with tempfile.TemporaryDirectory(prefix="dolphin-control-") as place:
        return _run(*write_control(folder, control, row, Path(place)), row, started, many)


def _run(
    module: Path,
    cfg: Path,
    row: Row,
    started: Callable[[subprocess.Popen[str]], None] | None,
    many: Many | None,
) -> TlcRun:
    return run_tlc(
        module,
        cfg,
        coverage=row.coverage,
        small=row.control or 0 <= row.generated < SMALL_STATES,
        liveness=row.mode == "liveness",
        properties=read_cfg(cfg.read_text(encoding="utf-8")).properties,
        started=started,
        time_limit_s=TIME_LIMIT_S[row.lane],
        many=many if row.control or 0 <= row.generated < SHARED_STATES else None,
    )


GRAPH_STATES = 120  # pinned; a larger graph is no picture that anybody reads


def why_no_graph(row: Row) -> str:
    """Return why a good model's graph is not drawn, in one line; "" where it is."""
    if row.mode == "assumptions":
        return f"{row.name}: it checks assumptions and has no states to draw"
    if row.distinct > GRAPH_STATES:
        return (
            f"{row.name}: {row.distinct:,} states; a graph of over {GRAPH_STATES} is not drawn "
            "(a negative control of it draws its counterexample)"
        )
    if not row.pinned:
        return f"{row.name}: not pinned yet, so nobody knows how large its graph is"
    return ""


def graph_of(folder: Path, row: Row) -> Graph:
    """Return the state graph of a good model, by TLC. Raises ``DotError`` and ``ToolMissing``."""
    with tempfile.TemporaryDirectory(prefix="dolphin-graph-") as place:
        dump = Path(place) / "graph.dot"
        run = run_tlc(folder / f"{row.module}.tla", folder / row.cfg, dump=dump)
        if not dump.is_file():
            raise DotError(f"{row.name}: TLC wrote no graph: {_first(run)}")
        return read_dot(dump)


def judge(folder: Path, row: Row, run: TlcRun) -> tuple[str, ...]:
    """Return what is wrong with a run, one sentence each; empty when all is as pinned."""
    problems: list[str] = []
    if not row.pinned:
        problems.append(f"{row.name}: not pinned yet (run `dolphin check --update {row.name}`)")
    elif sha256_of(folder / row.cfg) != row.cfg_sha256:
        problems.append(f"{row.cfg}: changed since it was pinned (manifest: cfg_sha256)")
    control = control_of(folder, row)
    if control is not None and row.pinned and control.sha256 != row.control_sha256:
        problems.append(
            f"{TABLE}: {row.name} changed since it was pinned (manifest: control_sha256)"
        )
    if run.result != row.expected:
        if row.control and run.result == "success":
            problems.append(f"negative control passed: {row.expected} was not violated")
        elif row.control:
            problems.append(f"failed with {run.result}, not with {row.expected}: {_first(run)}")
        else:
            problems.append(f"expected success, found {run.result}: {_first(run)}")
        return tuple(problems)
    if row.pinned:
        for name in ("distinct", "generated", "diameter"):
            pinned, found = getattr(row, name), getattr(run, name)
            if pinned != found:
                problems.append(f"{name} changed: pinned {pinned:,}, found {found:,}")
    if row.coverage:
        dead = sorted(name for name, count in run.actions.items() if count == 0)
        if dead:
            problems.append(f"never fires: {', '.join(dead)}")
        if row.mode != "assumptions" and not run.actions:
            problems.append("coverage was asked for and none was reported")
        missing = sorted(set(row.actions) - set(run.actions))
        if row.pinned and missing:
            problems.append(f"actions gone from Next: {', '.join(missing)}")
        new = sorted(set(run.actions) - set(row.actions))
        if row.pinned and new:
            problems.append(f"actions not pinned: {', '.join(new)}")
    return tuple(problems)


def _first(run: TlcRun) -> str:
    return " ".join(run.message.split())[:240] or "no message"


def judge_suite(folder: Path, rows: list[Row]) -> tuple[str, ...]:
    """Return what is wrong with the manifest as a whole, one sentence each."""
    problems: list[str] = []
    controls = load_controls(folder)
    registered = {row.cfg for row in rows if not row.control}
    for cfg in sorted(folder.glob("*.cfg")):
        if cfg.name not in registered:
            problems.append(f"{cfg.name}: not registered in manifest.json")
    by_name = {row.name: row for row in rows}
    for name in controls:
        if name not in by_name or not by_name[name].control:
            problems.append(f"{TABLE}: {name} is not registered in manifest.json")
    for row in rows:
        if not (folder / row.cfg).is_file():
            problems.append(f"{row.cfg}: registered as {row.name}, but there is no such file")
        elif not (folder / f"{row.module}.tla").is_file():
            problems.append(f"{row.module}.tla: the module of {row.name} is not there")
        elif row.control:
            problems += control_problems(folder, row, controls.get(row.name), by_name)
    for module in sorted({row.module for row in rows if row.mode == "safety" and not row.control}):
        own = [row for row in rows if row.module == module and not row.control]
        if own and not any(row.coverage for row in own):
            problems.append(f"{module}: no model of it has coverage on: a dead action would hide")
    return tuple(problems)


def control_problems(
    folder: Path, row: Row, control: Control | None, rows: dict[str, Row]
) -> list[str]:
    """Return what is wrong with a control: its entry, its good model, its edits."""
    if control is None:
        return [f"{row.name}: registered as a control, but {TABLE} has no such entry"]
    twin = rows.get(control.of)
    if twin is None or twin.control:
        return [f"{TABLE}: {row.name}: 'of' names {control.of}, which is no model"]
    found = []
    wanted = row_of(control, twin)
    for name in ("module", "cfg", "mode", "expected", "of"):
        said, due = getattr(row, name), getattr(wanted, name)
        if said != due:
            found.append(f"{row.name}: manifest.json says {name} {said}, {TABLE} {due}")
    try:
        control_texts(folder, control, row.module)
        control_cfg(folder, control, row)
    except ManifestError as error:
        found.append(str(error))
    return found


def check_rows(
    folder: Path,
    rows: list[Row],
    *,
    jobs: int = 2,
    use_cache: bool = True,
    cache: Path = CACHE_FOLDER,
    progress: Callable[[Judged], None] | None = None,
) -> list[Judged]:
    """Run and judge the rows, ``jobs`` JVMs at a time, long ones first; results in row order."""
    running: set[subprocess.Popen[str]] = set()
    lock = Lock()

    def started(process: subprocess.Popen[str]) -> None:
        with lock:
            running.add(process)

    spare: SimpleQueue[Many | None] = SimpleQueue()
    for _ in range(max(1, jobs)):
        spare.put(None)

    def one(row: Row) -> Judged:
        if not (folder / row.cfg).is_file() or not (folder / f"{row.module}.tla").is_file():
            run = TlcRun("error", 0, 0, 0, 0.0, message="its module or configuration is not there")
            return Judged(row, run, "", False, ("not run: its module or configuration is missing",))
        try:
            key = cache_key(folder, row)
        except ManifestError as error:
            run = TlcRun("error", 0, 0, 0, 0.0, message=str(error))
            return Judged(row, run, "", False, (f"not run: {error}",))
        found = _from_cache(cache, key) if use_cache else None
        if found is not None:
            run, ran_at = found
            return Judged(row, run, ran_at, True, judge(folder, row, run))
        ran_at = datetime.now(UTC).isoformat(timespec="seconds")
        many = spare.get() or open_many(cache / "java")
        try:
            run = run_row(folder, row, started, many)
        finally:
            spare.put(many)
        if run.result != "error":
            _into_cache(cache, key, run, ran_at)
        return Judged(row, run, ran_at, False, judge(folder, row, run))

    done: dict[str, Judged] = {}
    order = sorted(rows, key=lambda row: -row.seconds if row.pinned else -1e9)
    pool = ThreadPoolExecutor(max_workers=max(1, jobs))
    try:
        futures: list[Future[Judged]] = [pool.submit(one, row) for row in order]
        for future in as_completed(futures):
            judged = future.result()
            done[judged.row.name] = judged
            if progress is not None:
                progress(judged)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        with lock:
            for process in running:
                if process.poll() is None:
                    process.kill()
        raise
    pool.shutdown()
    while not spare.empty():
        if (many := spare.get()) is not None:
            many.close()
    return [done[row.name] for row in rows]


def update_rows(folder: Path, rows: list[Row], judged: list[Judged]) -> tuple[list[Row], list[str]]:
    """Return all rows with those that ran pinned anew, and why a row could not be pinned."""
    pinned: dict[str, Row] = {}
    refused: list[str] = []
    for one in judged:
        row, run = one.row, one.run
        if run.result != row.expected:
            refused.append(f"{row.name}: expected {row.expected}, found {run.result}; not pinned")
            continue
        pinned[row.name] = repin(
            row,
            distinct=run.distinct,
            generated=run.generated,
            diameter=run.diameter,
            cfg_sha256=sha256_of(folder / row.cfg),
            control_sha256=control.sha256 if (control := control_of(folder, row)) else "",
            actions=tuple(sorted(run.actions)) if row.coverage else (),
            seconds=row.seconds if one.cached and row.seconds else round(run.seconds, 1),
        )
    return [pinned.get(row.name, row) for row in rows], refused


def register_new(folder: Path, rows: list[Row]) -> list[Row]:
    """Return the rows as the folder's configurations and its table of controls call for them.

    Rows of what is gone go; what is new gets one. What a ``.cfg`` says of itself in its first
    lines, and the table of a control, replaces what its row said.
    """
    known = {row.name: row for row in rows}
    found: dict[str, Row] = {}

    def put(said: Row) -> None:
        old = known.get(said.name)
        found[said.name] = said if old is None else repin(
            old, module=said.module, cfg=said.cfg, mode=said.mode, lane=said.lane,
            expected=said.expected, coverage=said.coverage, of=said.of,
        )  # fmt: skip

    for cfg in sorted(folder.glob("*.cfg")):
        put(introduce(cfg))
    for name, control in load_controls(folder).items():
        if control.of not in found or found[control.of].control:
            raise ManifestError(f"{TABLE}: {name}: 'of' names {control.of}, which is no model")
        put(row_of(control, found[control.of]))
    return list(found.values())


def select(rows: list[Row], lane: str, names: tuple[str, ...]) -> list[Row]:
    """Return the rows of a lane (exhaustive includes fast), or those named, with their controls.

    A name is a row's name or a module's. Raises ``ManifestError`` for one that is neither.
    """
    if not names:
        return [row for row in rows if lane == "exhaustive" or row.lane == "fast"]
    chosen: list[Row] = []
    for name in names:
        found = [row for row in rows if row.name == name]
        found = found or [
            row
            for row in rows
            if row.module in (name, f"MC{name}") and (lane == "exhaustive" or row.lane == "fast")
        ]
        if not found:
            known = ", ".join(sorted({row.name for row in rows if not row.control}))
            raise ManifestError(f"{name}: no model of that name (known: {known})")
        chosen += [row for row in found if row not in chosen]
    return chosen


def inputs_of(folder: Path, row: Row) -> dict[str, str]:
    """Return the SHA-256 of each file that a row's run reads, so that a reader can tell its age."""
    named = [f"{name}.tla" for name in modules_of(folder, row.module)]
    named += [row.cfg, TABLE] if row.control else [row.cfg]
    return {name: sha256_of(folder / name) for name in named if (folder / name).is_file()}


def as_json(judged: list[Judged], suite: tuple[str, ...]) -> dict[str, object]:
    """Return the document of ``dolphin check --json``."""
    controls = [one for one in judged if one.row.control]
    return {
        "ok": not suite and all(one.ok for one in judged) and bool(judged),
        "models": [
            {
                "name": one.row.name,
                "module": one.row.module,
                "mode": one.row.mode,
                "lane": one.row.lane,
                "control": one.row.control,
                "expected": one.row.expected,
                "result": one.run.result,
                "distinct": one.run.distinct,
                "generated": one.run.generated,
                "diameter": one.run.diameter,
                "seconds": round(one.run.seconds, 2),
                "cached": one.cached,
                "ran_at": one.ran_at,
                "cfg_sha256": one.row.cfg_sha256,
                "inputs": inputs_of(SPEC_FOLDER, one.row),
                "problems": list(one.problems),
            }
            for one in judged
        ],
        "negative_controls": {
            "total": len(controls),
            "failed_as_expected": sum(one.run.result == one.row.expected for one in controls),
        },
        "problems": list(suite),
    }
