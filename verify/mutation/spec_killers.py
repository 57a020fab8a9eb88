"""The checks that a mutant of the models must fail: TLC on the models, and the corpus.

Theory. A mutant is killed when something that holds of the model does not hold of it. Killers are
tried from the cheap to the dear, and the first that tells the difference is named:

    unassigned    TLC says that a next state is not completely specified: no specification at all
    evaluation    TLC cannot evaluate it (a type, a domain, an overflow of 32 bits, without end)
    violation     an invariant, a property or an ASSUME of a good configuration does not hold
    count         the pinned distinct or generated states, or the depth, differ
    conformance   a step of the corpus (``spec_corpus.py``) is none of the mutant's

Rules of this file:

*   One JVM for each run: TLC keeps static state. What is shared is the archive of its classes (CDS)
    which changes the time of a start and nothing else.
*   A killer is used only where the unchanged modules pass it, in the same way of running. Where
    they do not, it is no killer and the item says so.
*   A run that neither ended nor was stopped for a reason judges nothing: never a kill.
*   The models are bounded: one that finds more states than the pinned is stopped there (an
    invariant over TLC's own count), so a mutant with an infinite space costs little.
*   Every run is kept under the hash of the module texts it read, its configuration and the jar.
*   A never-firing action needs no coverage: a refusal is a step that TLC counts as generated, so
    an action that fires no more changes a pinned count.

Not here: the mutants (``spec_mutants.py``), the reckoning (``spec.py``).
"""

import re
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from traces.audit.tlatools import JAR_SHA256, TLC_CLASS, jar_path, java_path
from traces.audit.tlc import TlcFailed, configuration, data_module, judge_output, run_module
from traces.audit.tlc import read_output as read_rows
from verify.models.manifest import Row, modules_of, read_cfg, sha256_of
from verify.models.tlc import read_output as read_models
from verify.mutation.spec_corpus import Corpus, Source, sources
from verify.mutation.spec_mutants import Mutant
from verify.store import Store, key_of

VERSION = 1  # of how a run is made: raise it and nothing that is kept is believed
UNASSIGNED, EVALUATION, VIOLATION = "unassigned", "evaluation", "violation"
COUNT, CONFORMANCE = "count", "conformance"
WAYS = (UNASSIGNED, EVALUATION, VIOLATION, COUNT, CONFORMANCE)
ROOT_MODULE, WITHIN = "MutantRun", "MutantWithinPinned"
GOLDEN = ("bible.journal", "specification-anchored.journal")
OWN_FIRST_S, OTHERS_FIRST = 15.0, 6_000  # pinned seconds, generated states
NEAR_STATES = 4_000
# Up to so many generated states the second compiler costs more than it saves: 2,512 states of
# MCPosture 0.7 s of processor time without it and 1.0 s with it, 5,503 of MCLedger 2.1 and 2.2,
# 42,977 of MCSurvival 8.3 and 4.7.
SMALL_STATES = 6_000
TIME_LIMIT_S = 1_200.0  # on the clock, against a JVM that hangs: no verdict
# Of processor time, by the pinned seconds of a row: whoever needs so much more does not end.
CPU_FACTOR, CPU_LEAST_S, CPU_CORPUS_S = 10, 60, 300
ENDLESS = "endless"
_INVALID = 3002  # tlc2.output.EC.TLC_PARSING_FAILED
_UNASSIGNED = re.compile(r"not completely specified|not a legal state|undefined or not an operator")


class Endless(Exception):
    """A run that has used up its processor time; the message says how much it had."""


class GeneratorFault(Exception):
    """A mutant that SANY does not read: the generator's fault, not the mutant's."""


@dataclass(frozen=True)
class Ran:
    """What one run said, as it is kept."""

    result: str
    distinct: int
    generated: int
    diameter: int
    message: str
    seconds: float


@dataclass(frozen=True)
class Verdict:
    """How a mutant ended: the way it was killed ("" where it lives), by what, and in one line."""

    way: str
    killer: str
    what: str
    seconds: float
    unjudged: tuple[str, ...] = ()

    @property
    def killed(self) -> bool:
        """Whether a killer told the mutant from the model."""
        return self.way != ""


# --- one JVM -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Workshop:
    """A folder of copied modules, in which one module at a time is exchanged."""

    spec: Path
    folder: Path
    jar: Path
    archive: Path | None

    @classmethod
    def open(cls, spec: Path, folder: Path, jar: Path, archive: Path | None) -> "Workshop":
        """Copy the modules and configurations of ``spec``."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in (*spec.glob("*.tla"), *spec.glob("*.cfg")):
            shutil.copyfile(path, folder / path.name)
        return cls(spec, folder, jar, archive)

    def exchange(self, module: str, text: str) -> None:
        """Put a mutant's text in the place of a module."""
        (self.folder / f"{module}.tla").write_text(text, encoding="utf-8")

    def restore(self, module: str) -> None:
        """Put the module back."""
        shutil.copyfile(self.spec / f"{module}.tla", self.folder / f"{module}.tla")

    def command(self, *, small: bool, stack: str = "16m") -> list[str]:
        """Return the beginning of a command line that runs TLC."""
        found = [java_path(), "-XX:+UseSerialGC", f"-Xss{stack}", "-Xlog:disable", "-Xlog:all=off"]
        found += ["-XX:TieredStopAtLevel=1", "-Xmx1000m"] if small else ["-Xmx2500m"]
        if self.archive is not None and self.archive.is_file():
            found += ["-Xshare:auto", f"-XX:SharedArchiveFile={self.archive}"]
        return [*found, "-Duser.language=en", "-cp", str(self.jar), TLC_CLASS]


def make_archive(jar: Path, spec: Path, archive: Path) -> None:
    """Write the archive of TLC's classes (CDS), if this JVM can; without it a start is slower."""
    if archive.is_file():
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dolphin-cds-") as scratch:
        draft = Path(scratch) / "tlc.jsa"
        command = [java_path(), f"-XX:ArchiveClassesAtExit={draft}", "-XX:+UseSerialGC"]
        command += ["-Xlog:disable", "-Xlog:all=off", "-cp", str(jar), TLC_CLASS, "-tool"]
        command += ["-metadir", f"{scratch}/states", "-config", str(spec / "MCLiveKill.cfg")]
        subprocess.run([*command, str(spec / "MCLive.tla")], cwd=scratch, capture_output=True)
        if draft.is_file():
            shutil.move(draft, archive)


def run_model(shop: Workshop, row: Row) -> Ran:
    """Run one row of the manifest on the workshop's modules, stopped beyond its pinned states."""
    cfg = (shop.folder / row.cfg).read_text(encoding="utf-8")
    bounded = row.mode != "assumptions"
    with tempfile.TemporaryDirectory(prefix="dolphin-mutant-") as scratch:
        root = shop.folder / f"{row.module}.tla"
        config = shop.folder / row.cfg
        if bounded:
            root = shop.folder / f"{ROOT_MODULE}.tla"
            config = shop.folder / f"{ROOT_MODULE}.cfg"  # TLC looks beside the module only
            config.write_text(f"{cfg}\nINVARIANT {WITHIN}\n", encoding="utf-8")
            root.write_text(
                f"---- MODULE {ROOT_MODULE} ----\nEXTENDS {row.module}, TLC\n"
                f'{WITHIN} == TLCGet("distinct") <= {row.distinct}\n====\n',
                encoding="utf-8",
            )
        small = row.generated < SMALL_STATES
        command = [*shop.command(small=small), "-tool", "-workers", "1", "-fp", "0"]
        command += ["-metadir", f"{scratch}/states", "-config", str(config)]
        if row.mode == "liveness":
            command += ["-lncheck", "final"]
        limit_s = max(CPU_LEAST_S, round(CPU_FACTOR * row.seconds))
        text, seconds = _output([*command, str(root)], Path(scratch), limit_s)
    if f"STARTMSG {_INVALID}:" in text:
        raise GeneratorFault(f"{row.name}: SANY does not read it: {text[:400]}")
    run = read_models(text, read_cfg(cfg).properties, seconds)
    message = " ".join(run.message.split()).rpartition("The exception was a")[2].strip()[:300]
    return Ran(run.result, run.distinct, run.generated, run.diameter, message, round(seconds, 2))


def _output(command: list[str], scratch: Path, limit_s: int) -> tuple[str, float]:
    """Return what a command printed, and how long it took; no text where the clock ended it.

    Raises ``Endless``.
    """
    command = [*command[:1], f"-Djava.io.tmpdir={scratch}", *command[1:]]
    begun = time.monotonic()
    sink = scratch / "output"
    with sink.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(command, cwd=scratch, stdout=out, stderr=subprocess.STDOUT)
        _limit_cpu(process, limit_s)
        try:
            process.wait(TIME_LIMIT_S)
        except subprocess.TimeoutExpired:
            return "", time.monotonic() - begun
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    _check_cpu(process, limit_s)
    return sink.read_text("utf-8", "replace"), time.monotonic() - begun


def _limit_cpu(process: subprocess.Popen[Any], limit_s: int) -> None:
    """Let the system end a process after so much processor time, without a core file."""
    with suppress(ProcessLookupError):
        resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (limit_s, limit_s + 5))


def _check_cpu(process: subprocess.Popen[Any], limit_s: int) -> None:
    if process.returncode == -signal.SIGXCPU:
        raise Endless(f"over {limit_s} s of processor time")


# --- a corpus ------------------------------------------------------------------------------------


def run_corpus(shop: Workshop, corpus: Corpus) -> Ran:
    """Ask TLC whether every row of a corpus is a step of the workshop's Kernel.

    ``result`` is "success", "rejected" or "error". A curve's input that is asked for and lacking
    is computed and the run repeated, as in an audit; the corpus keeps it, since a longer table
    answers nothing else.
    """
    points = corpus.points
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dolphin-rows-") as scratch:
        folder = Path(scratch)
        (folder / "TraceRun.tla").write_text(run_module(corpus.limits), "ascii")
        (folder / "TraceRun.cfg").write_text(configuration(corpus.limits), "ascii")
        command = shop.command(small=corpus.rows < 5_000, stack="64m")
        command.insert(1, f"-DTLA-Library={shop.folder}")
        command += ["-workers", "1", "-metadir", f"{scratch}/states"]
        command += ["-config", str(folder / "TraceRun.cfg"), str(folder / "TraceRun.tla")]
        for _ in range(8):
            text = data_module(corpus.chunks, points, corpus.limits.profile)
            (folder / "TraceData.tla").write_text(text, "ascii")
            lines = _lines_until_rejected(command, folder)
            output = read_rows(lines)
            if "Parsing or semantic analysis failed." in lines:
                raise GeneratorFault(f"{corpus.name}: SANY does not read it: {lines[:12]}")
            rejected = next((line for line in lines if '"REJECTED' in line.replace("\\", "")), "")
            spent = round(time.monotonic() - begun, 2)
            if rejected:
                return Ran("rejected", 0, 0, 0, rejected[:200], spent)
            lacking = [(name, point) for name, point in output.missing if point >= 0]
            if not output.missing:
                break
            if not lacking:
                name, point = output.missing[0]
                return Ran("error", 0, 0, 0, f"asks {name} for {point}", spent)
            for name, point in lacking:
                points[name].add(point)
    spent = round(time.monotonic() - begun, 2)
    try:
        judge_output(corpus.chunks, output)
    except TlcFailed as failure:
        # TLC ended and said why, or it found other states than rows: both are the mutant's.
        ended = bool(output.errors) or output.distinct >= 0
        message = str(failure)[:200]
        return Ran("error" if ended else "unjudged", 0, 0, 0, message, spent)
    return Ran("success", output.distinct, output.generated, 0, "", spent)


def _lines_until_rejected(command: list[str], folder: Path) -> list[str]:
    """Return what TLC printed; it is ended at the first rejected row. Raises ``Endless``."""
    command = [*command[:1], f"-Djava.io.tmpdir={folder}", *command[1:]]
    lines: list[str] = []
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        _limit_cpu(process, CPU_CORPUS_S)
        timer = threading.Timer(TIME_LIMIT_S, process.kill)
        timer.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith('"HUNDRED"'):
                    continue
                lines.append(line.rstrip("\n"))
                if "REJECTED" in line:
                    break
        finally:
            timer.cancel()
            if process.poll() is None:
                process.kill()
    _check_cpu(process, CPU_CORPUS_S)
    return lines


# --- killers -------------------------------------------------------------------------------------

Killer = Row | Source


class Killers:
    """All killers of a tree, their baselines, and what was run before."""

    def __init__(
        self,
        root: Path,
        rows: Sequence[Row],
        store: Store,
        *,
        counts: bool = True,
        known: Mapping[str, str] | None = None,
    ) -> None:
        self.root, self.spec = root, root / "spec" / "tla"
        self.rows = {row.name: row for row in rows if not row.control}
        self.store = store
        self.jar = jar_path(root)
        self._counts = counts
        self.sources = sources([root / "tests/traces/golden" / name for name in GOLDEN])
        self._corpora: dict[str, Corpus] = {}
        self._baseline: dict[str, str] = {}
        self._lock = threading.RLock()
        self.archive = store.folder / f"tlc-{JAR_SHA256[:12]}.jsa"
        self._closures: dict[str, frozenset[str]] = {}
        self.known: dict[str, str] = dict(known or {})
        self.killed_by: dict[tuple[str, str], Counter[str]] = {}

    def workshop(self, folder: Path) -> Workshop:
        """Return a folder to run mutants in."""
        return Workshop.open(self.spec, folder, self.jar, self.archive)

    def corpus(self, source: Source) -> Corpus:
        """Return a corpus, drawn up when it is first asked for."""
        with self._lock:
            if source.name not in self._corpora:
                corpus = self._corpora[source.name] = source.draw()
                for curve, asked in (self.store.get(_points_key(corpus)) or {}).items():
                    corpus.points[curve].update(asked)
            return self._corpora[source.name]

    def near(self, killer: Killer) -> bool:
        """Whether a killer is cheap: a module alone, a small window, a quick corpus."""
        if isinstance(killer, Source):
            return killer.small
        return "Kernel" not in self.reads(killer) or killer.distinct < NEAR_STATES

    def reads(self, row: Row) -> frozenset[str]:
        """Return the modules that a row's run reads."""
        if row.module not in self._closures:
            self._closures[row.module] = frozenset(modules_of(self.spec, row.module))
        return self._closures[row.module]

    def order(self, module: str) -> Iterator[Killer]:
        """Yield a module's killers: its own small models, then what is cheap, then the dear."""
        rows = [
            row for row in self.rows.values() if row.lane == "fast" and module in self.reads(row)
        ]
        rows.sort(key=lambda row: (row.generated, row.name))
        own = [
            row for row in rows if row.module == f"MC{module}" and "Kernel" not in self.reads(row)
        ]
        first = [row for row in own if row.seconds < OWN_FIRST_S]
        first += [row for row in rows if row.generated < OTHERS_FIRST and row not in first]
        yield from first
        traced = module in modules_of(self.spec, "TraceKernel")
        golden = [source for source in self.sources if traced and source.golden]
        covering = [source for source in self.sources if traced and source.small]
        yield from golden
        yield from (row for row in own if row not in first)
        yield from (source for source in covering if not source.golden)
        yield from (row for row in rows if row not in first and row not in own)
        yield from (source for source in self.sources if traced and not source.small)

    # --- running ---

    def key(self, shop: Workshop, killer: Killer) -> str:
        """Return the key of a run: the texts it reads, its configuration, the jar."""
        jar = JAR_SHA256
        if isinstance(killer, Row):
            texts = modules_of(shop.folder, killer.module)
            cfg = sha256_of(shop.folder / killer.cfg)
            return key_of("model", VERSION, texts, cfg, killer.mode, killer.distinct, jar)
        texts = modules_of(shop.folder, "TraceKernel")
        return key_of("rows", VERSION, texts, self.corpus(killer).sha256, jar)

    def run(self, shop: Workshop, killer: Killer) -> Ran:
        """Return what a killer says of the workshop's modules, from the store or from TLC."""
        key = self.key(shop, killer)
        kept = _ran(self.store.get(key))
        if kept is not None:
            return replace(kept, seconds=0.0)
        begun = time.monotonic()
        try:
            found = self._ask(shop, killer)
        except Endless as endless:
            spent = round(time.monotonic() - begun, 2)
            found = Ran(ENDLESS, 0, 0, 0, str(endless), spent)
        if not _unfinished(found):
            self.store.put(key, asdict(found))
        return found

    def _ask(self, shop: Workshop, killer: Killer) -> Ran:
        if isinstance(killer, Row):
            return run_model(shop, killer)
        corpus = self.corpus(killer)
        before = sum(map(len, corpus.points.values()))
        found = run_corpus(shop, corpus)
        if sum(map(len, corpus.points.values())) != before:
            points = {name: sorted(asked) for name, asked in corpus.points.items()}
            self.store.put(_points_key(corpus), points)
        return found

    def baseline(self, killer: Killer) -> str:
        """Return what is wrong with a killer on the unchanged modules; "" when it may judge."""
        with self._lock:
            if killer.name not in self._baseline:
                with tempfile.TemporaryDirectory(prefix="dolphin-base-") as scratch:
                    make_archive(self.jar, self.spec, self.archive)
                    shop = self.workshop(Path(scratch))
                    way, what = self.judge(killer, self.run(shop, killer))
                self._baseline[killer.name] = f"{killer.name}: {what}" if way or what else ""
            return self._baseline[killer.name]

    def judge(self, killer: Killer, ran: Ran) -> tuple[str, str]:
        """Return the way a run kills ("" if it does not) and why, in one line."""
        if _unfinished(ran):
            return "", f"did not end: {ran.message or 'no output'}"
        if ran.result == ENDLESS:
            return EVALUATION, f"does not end: {ran.message}"
        if isinstance(killer, Source):
            if ran.result == "success":
                return "", ""
            if ran.result == "rejected":
                return CONFORMANCE, _rejection(ran.message)
            return _error(ran.message)
        if ran.result == WITHIN:
            return (COUNT, f"over {killer.distinct:,} states") if self._counts else ("", "")
        if ran.result == "error":
            return _error(ran.message)
        if ran.result != "success":
            return VIOLATION, f"{ran.result} is violated"
        for name in ("distinct", "generated", "diameter"):
            pinned, found = getattr(killer, name), getattr(ran, name)
            if pinned != found and self._counts:
                return COUNT, f"{name}: pinned {pinned:,}, found {found:,}"
        return "", ""

    def guessed(self, mutant: Mutant) -> list[Killer]:
        """Return what is most likely to kill: what killed it before, then its neighbours."""
        names = [self.known.get(mutant.id, "")]
        for group in ((mutant.module, mutant.definition), (mutant.module, "")):
            names += [name for name, _ in self.killed_by.get(group, Counter()).most_common(2)]
        by_name: dict[str, Killer] = {**self.rows, **{one.name: one for one in self.sources}}
        found = [by_name[name] for name in dict.fromkeys(names) if name in by_name]
        allowed = {one.name for one in self.order(mutant.module)}
        return [one for one in found if one.name in allowed]

    def learn(self, mutant: Mutant, killer: str) -> None:
        """Remember what killed a mutant, for its neighbours."""
        with self._lock:
            for group in ((mutant.module, mutant.definition), (mutant.module, "")):
                self.killed_by.setdefault(group, Counter())[killer] += 1

    def kill(
        self, shop: Workshop, mutant: Mutant, text: str, limit: Callable[[Killer], bool] | None
    ) -> Verdict:
        """Return what becomes of a mutant; ``limit`` says which killers may be used.

        What is likely to kill is tried first. Every killer judges by itself, so the order changes
        the time that is spent and which killer is named, and never whether a mutant is killed.
        """
        shop.exchange(mutant.module, text)
        spent = 0.0
        unjudged: list[str] = []
        try:
            first = self.guessed(mutant)
            for killer in (*first, *(one for one in self.order(mutant.module) if one not in first)):
                if limit is not None and not limit(killer):
                    continue
                if wrong := self.baseline(killer):
                    unjudged.append(f"no killer: {wrong}")
                    continue
                ran = self.run(shop, killer)
                spent += ran.seconds
                way, what = self.judge(killer, ran)
                if way:
                    self.learn(mutant, killer.name)
                    return Verdict(way, killer.name, what, round(spent, 2), tuple(unjudged))
                if what:
                    unjudged.append(f"{killer.name}: {what}")
        finally:
            shop.restore(mutant.module)
        return Verdict("", "", "", round(spent, 2), tuple(unjudged))


def _points_key(corpus: Corpus) -> str:
    return key_of("points", corpus.sha256)


def _unfinished(ran: Ran) -> bool:
    """Whether a run says nothing: ended by the limit, or by a JVM that could not go on."""
    lost = ("OutOfMemory", "insufficient memory", "No space left", "Java heap space")
    if ran.result == "unjudged" or any(word in ran.message for word in lost):
        return True
    return ran.result == "error" and not ran.message


def _error(message: str) -> tuple[str, str]:
    return (UNASSIGNED if _UNASSIGNED.search(message) else EVALUATION), message[:160]


_ROW = re.compile(r'"REJECTED",\s*\d+,\s*\d+,\s*"(\w+)",\s*(.*)')


def _rejection(line: str) -> str:
    match = _ROW.search(line.replace("\\", ""))
    return f"{match.group(1)}: {match.group(2)[:140]}" if match else line[:160]


def _ran(kept: Any) -> Ran | None:
    try:
        return Ran(**kept)
    except TypeError:
        return None
