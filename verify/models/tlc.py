"""Running TLC on a model, and reading what it printed.

Rules of this file:

*   TLC's exit code proves nothing by itself. A run has a result only when its output says which:
    "success" needs message 2193 and an empty queue; a violation needs the message that names it.
    Anything else is "error" with TLC's own first words.
*   Output is read in TLC's tool mode (``-tool``): every message carries its number, so prose that a
    specification prints cannot be taken for a verdict.
*   One worker, and a fixed fingerprint polynomial: counts and the depth are then the same on
    every machine. Liveness is checked once, over the complete graph (``-lncheck final``), for the
    same reason.
*   A small run may share a JVM with others (``jvm.py``), never TLC's classes.
*   Each run has its own ``-metadir`` and its own temporary directory: two started in one second
    collide otherwise.
*   TLC does not name a violated temporal property, nor one that is another module's specification
    (a refinement). It is named here from the configuration, which must then list exactly one.

Not here: the jar and Java (``traces/audit/tlatools.py``), what was expected (``manifest.py``), the
verdict on it (``checking.py``).
"""

import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from traces.audit.tlatools import TLC_CLASS, jar_path, jvm, tlc
from verify.models.jvm import Many
from verify.models.values import parse_state

WALL_FACTOR = 20  # on the clock, against a JVM that hangs: so many times the processor time


@dataclass(frozen=True)
class Step:
    """One state of a counterexample: the action that led here, and the variables."""

    number: int
    action: str
    state: dict[str, object]


@dataclass(frozen=True)
class TlcRun:
    """What one run of TLC said.

    ``result`` is "success", "error", or the name of what was violated ("deadlock" and "assumption"
    for the two that have none). ``actions`` maps an action (name and module) to the successors it
    generated; empty unless coverage was asked for. ``loop`` is the step a liveness counterexample
    goes back to, 0 when it has none (or stutters).
    """

    result: str
    distinct: int
    generated: int
    diameter: int
    seconds: float
    actions: dict[str, int] = field(default_factory=dict)
    trace: tuple[Step, ...] = ()
    loop: int = 0
    message: str = ""
    prints: tuple[str, ...] = ()


_MESSAGE = re.compile(
    r"^@!@!@STARTMSG (\d+):\d+ @!@!@\n(.*?)^@!@!@ENDMSG \1 @!@!@$", re.MULTILINE | re.DOTALL
)
_COVERAGE = re.compile(
    r"^<(\w+) line .*? of module (\w+)(?: \([\d ]+\))?>: (\d+):(\d+)", re.MULTILINE
)
_STATS = re.compile(
    r"([\d,]+) states generated, ([\d,]+) distinct states found, ([\d,]+) states left"
)
_DEPTH = re.compile(r"depth of the complete state graph search is (\d+)")
_STEP = re.compile(r"(\d+): <(.*?)(?: line .*)?>$")
_INVARIANT = re.compile(r"Invariant (\S+) is violated")
_ACTION_PROPERTY = re.compile(r"Action property (.+?) is violated")

# Numbers of tlc2.output.EC that decide a result.
SUCCESS, STATS, DEPTH, STATE, LASSO, STUTTER = 2193, 2199, 2194, 2217, 2122, 2218
INVARIANT_INITIAL, INVARIANT, PROPERTY_INITIAL, ACTION_PROPERTY = 2107, 2110, 2108, 2112
DEADLOCK, TEMPORAL, ASSUMPTION, COVERAGE = 2114, 2116, 2104, 2772
# Messages that are noise: they are neither an error nor information about the model.
QUIET = {2262, 2401, 2187, 2220, 2219, 2185, 2189, 2190, 2200, 2186, 2268, 2201, 2202, 2221, 2773,
         2774, 2775, 2776, 2777, 2778, 2192, 2212, 2267, 2264, 2121, 2196, 2195,
         2209, 2269}  # fmt: skip


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def temporal_name(properties: tuple[str, ...]) -> str:
    """Return the temporal property that a run without a name must have violated."""
    return properties[0] if len(properties) == 1 else "temporal property (several are configured)"


def read_output(text: str, properties: tuple[str, ...], seconds: float) -> TlcRun:
    """Return what a run's tool-mode output says; ``properties`` are the configured ones."""
    messages = [(int(code), body.strip("\n")) for code, body in _MESSAGE.findall(text)]
    distinct = generated = queue = diameter = loop = 0
    result, message = "", ""
    actions: dict[str, int] = {}
    trace: list[Step] = []
    finished = success = False
    for code, body in messages:
        if code == SUCCESS:
            success = True
        elif code == STATS:
            match = _STATS.search(body)
            if match:
                generated, distinct, queue = (_number(group) for group in match.groups())
                finished = True
        elif code == DEPTH:
            match = _DEPTH.search(body)
            diameter = int(match.group(1)) if match else 0
        elif code == COVERAGE:
            match = _COVERAGE.match(body)
            if match:
                name = f"{match.group(2)}!{match.group(1)}"
                actions[name] = actions.get(name, 0) + int(match.group(4))
        elif code == STATE:
            head, _, rest = body.partition("\n")
            match = _STEP.match(head)
            if match:
                label = "Init" if "Initial predicate" in head else match.group(2)
                trace.append(Step(int(match.group(1)), label, parse_state(rest)))
        elif code == LASSO:
            match = re.search(r"Back to state (\d+)|(\d+): Back to state", body)
            loop = int(next(group for group in match.groups() if group)) if match else 0
        elif code in (INVARIANT, INVARIANT_INITIAL):
            match = _INVARIANT.search(body)
            if match:
                result, message = result or match.group(1), message or body
                if code == INVARIANT_INITIAL and "\n" in body:
                    trace.append(Step(1, "Init", parse_state(body.partition("\n")[2])))
        elif code in (ACTION_PROPERTY, PROPERTY_INITIAL):
            match = _ACTION_PROPERTY.search(body) or re.search(r"Property (.+?) is violated", body)
            if match:
                found = match.group(1)
                named = temporal_name(properties) if found.startswith("line ") else found
                result, message = result or named, message or body
        elif code == DEADLOCK:
            result, message = result or "deadlock", message or body
        elif code == TEMPORAL:
            result, message = result or temporal_name(properties), message or body
        elif code == ASSUMPTION:
            match = re.search(r"Assumption (\w+) is false", body)
            named = match is not None and match.group(1) != "line"
            result = result or (match.group(1) if match and named else "assumption")
            message = message or body
        elif code == STUTTER:
            loop = loop or (trace[-1].number if trace else 0)
        elif code not in QUIET and not message and code >= 1000:
            message = body
    # A property that a module takes from an instance is named with the instance in front.
    result = result.rpartition("!")[2]
    if not result:
        result = "success" if success and finished and queue == 0 else "error"
    prints = tuple(
        line for line in _MESSAGE.sub("", text).splitlines() if line.startswith(("<<", '"', "["))
    )
    if result == "error" and not message:
        message = next((line for line in text.splitlines() if "rror" in line), text[-300:]).strip()
    return TlcRun(result=result, distinct=distinct, generated=generated, diameter=diameter,
                  seconds=seconds, actions=actions, trace=tuple(trace), loop=loop,
                  message=message if result != "success" else "", prints=prints)  # fmt: skip


def run_tlc(
    module: Path,
    cfg: Path,
    *,
    coverage: bool = False,
    small: bool = True,
    liveness: bool = False,
    properties: tuple[str, ...] = (),
    library: tuple[Path, ...] = (),
    dump: Path | None = None,
    memory_mb: int = 2500,
    time_limit_s: float = 900.0,
    started: Callable[[subprocess.Popen[str]], None] | None = None,
    many: Many | None = None,
) -> TlcRun:
    """Run TLC on ``module`` with ``cfg`` and return what it said.

    ``small`` keeps the JVM on its first compiler, which halves a run of a second and slows a run of
    a minute; ``dump`` is where a DOT graph with action labels goes; ``library`` are folders
    searched for modules besides the module's own. ``started`` is told of the process, so that a
    caller can end it. A run that takes over ``time_limit_s`` of processor time is ended and
    is an "error": a busy machine does not make one. ``many``
    is a JVM that is there already, for a small run without a library; what it cannot run to an end,
    or finds to be an error, is run again by itself. Raises ``ToolMissing``.
    """
    with tempfile.TemporaryDirectory(prefix="dolphin-tlc-") as place:
        scratch = Path(place)
        options = ["-tool"]
        if coverage:
            options += ["-coverage", "1000"]
        if liveness:
            options += ["-lncheck", "final"]
        if dump is not None:
            options += ["-dump", "dot,actionlabels", str(dump.resolve())]
        arguments = tlc(module.resolve(), cfg.resolve(), scratch, options)
        output = scratch / "output"
        begun = time.monotonic()
        if many is not None and small and not library:
            ended = many.run(arguments, output, time_limit_s, started)
            if ended:
                seconds = time.monotonic() - begun
                run = read_output(output.read_text("utf-8", "replace"), properties, seconds)
                if run.result != "error":
                    return run
            shutil.rmtree(scratch / "states", ignore_errors=True)
            begun = time.monotonic()
        options = ["-Xshare:auto", *(["-XX:TieredStopAtLevel=1"] if small else [])]
        if library:
            options.append("-DTLA-Library=" + os.pathsep.join(map(str, library)))
        command = jvm(scratch, stack="16m", memory_mb=1000 if small else memory_mb, options=options)
        command += ["-cp", str(jar_path()), TLC_CLASS, *arguments]
        over = False
        with output.open("w", encoding="utf-8") as sink:
            process = subprocess.Popen(
                command, cwd=scratch, stdout=sink, stderr=subprocess.STDOUT, text=True
            )
            with suppress(ProcessLookupError):
                resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))
                seconds_at_most = (int(time_limit_s), int(time_limit_s) + 5)
                resource.prlimit(process.pid, resource.RLIMIT_CPU, seconds_at_most)
            if started is not None:
                started(process)
            try:
                process.wait(WALL_FACTOR * time_limit_s)
                over = process.returncode == -signal.SIGXCPU
            except subprocess.TimeoutExpired:
                over = True
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        seconds = time.monotonic() - begun
        run = read_output(output.read_text("utf-8", "replace"), properties, seconds)
        if over:
            message = (
                f"ended after {time_limit_s:.0f} s of processor time, its limit; "
                "the space may be infinite"
            )
            run = replace(run, result="error", message=message)
        return run
