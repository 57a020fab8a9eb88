"""What the report claims, and the state of each claim.

Rules of this file:

*   A claim is one sentence, one state, one file with its hash, and the command that makes the
    file.
*   States: ``HOLDS`` only from an outcome that a file records; ``DOES_NOT_HOLD`` when it records
    the contrary; ``NOT_RUN`` when nothing was recorded, or what was recorded is of another
    source. What a file says of itself as a whole ("ok") is never enough: rows are counted again.
*   Two verdicts. The session's: every claim of scope ``SESSION`` holds, else FAIL. The package's:
    FAIL when a claim of any scope does not hold, INCOMPLETE when one was not run, else PASS. No
    claim at all is FAIL.
*   Claims about proofs, MC/DC, mutation and requirements stand here though nothing makes them
    yet: a package that left them out would look complete.

Not here: files and shapes (``artefacts.py``), how it looks (``page.py``).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from certification.artefacts import FileRef, Inputs, pinned_packages, pinned_tlc

HOLDS = "holds"
DOES_NOT_HOLD = "does not hold"
NOT_RUN = "not run"

SESSION = "session"
PACKAGE = "package"

RUN = "dolphin run"
AUDIT = "dolphin audit --json"
CHECK = "dolphin check --lane exhaustive --json"
TEST = "make test"
CORPUS = "python -m pytest tests/conformance"


@dataclass(frozen=True)
class Claim:
    """One claim. ``artefact`` is a file's name, ``sha256`` its hash; both "" where none is."""

    id: str
    text: str
    status: str
    scope: str
    artefact: str
    sha256: str
    command: str
    detail: str = ""


@dataclass(frozen=True)
class Verdicts:
    """The two verdicts, and what keeps each from PASS."""

    session: str
    package: str
    holds: int
    does_not_hold: int
    not_run: int

    def exit_code(self, *, by_session: bool) -> int:
        """Return 0 for PASS, 1 for FAIL, 3 for INCOMPLETE."""
        return {"PASS": 0, "FAIL": 1, "INCOMPLETE": 3}[self.session if by_session else self.package]


def verdicts(claims: tuple[Claim, ...]) -> Verdicts:
    """Return both verdicts over the claims."""
    states = [claim.status for claim in claims]
    own = [claim.status for claim in claims if claim.scope == SESSION]
    if not own or DOES_NOT_HOLD in states:
        package = "FAIL"
    elif NOT_RUN in states:
        package = "INCOMPLETE"
    else:
        package = "PASS"
    return Verdicts(
        session="PASS" if own and all(state == HOLDS for state in own) else "FAIL",
        package=package,
        holds=states.count(HOLDS),
        does_not_hold=states.count(DOES_NOT_HOLD),
        not_run=states.count(NOT_RUN),
    )


def _claim(
    name: str,
    text: str,
    state: str | bool | None,
    file: FileRef,
    command: str,
    scope: str = PACKAGE,
    detail: str = "",
) -> Claim:
    """Return a claim over ``file``. A state without a file to show for it is "not run"."""
    if not isinstance(state, str):
        state = {True: HOLDS, False: DOES_NOT_HOLD, None: NOT_RUN}[state]
    if not file.present and state == HOLDS:
        state, detail = NOT_RUN, detail or f"{file.name} is missing"
    return Claim(
        name, text, state, scope, file.name if file.present else "", file.sha256, command, detail
    )


def _slug(text: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "-", text.upper()).strip("-")


def listed(names: Iterable[str], most: int = 6) -> str:
    """Return names in a row, the rest as a number."""
    every = list(names)
    more = len(every) - most
    return ", ".join(every[:most]) + (f" and {more} more" if more > 0 else "")


# --- the session ---------------------------------------------------------------------------------


def _session(inputs: Inputs) -> list[Claim]:
    file, session = inputs.session_file, inputs.session
    if session is None:
        return [
            _claim(
                "SES-VERDICT",
                "The session ran to its end and judged itself PASS",
                False,
                file,
                RUN,
                SESSION,
                f"{file.name} is missing: no session ran to its end here",
            ),
            _claim(
                "SES-SHOWN",
                "The session showed everything it had to show",
                None,
                file,
                RUN,
                SESSION,
                f"{file.name} is missing",
            ),
        ]
    claims = [
        _claim(
            "SES-VERDICT",
            "The session ran to its end and judged itself PASS",
            session["verdict"] == "PASS" and bool(session.get("ended")),
            file,
            RUN,
            SESSION,
            str(session.get("reason") or ("" if session.get("ended") else "no end recorded")),
        ),
    ]
    shown = session["shown"]
    if not shown:
        claims.append(
            _claim(
                "SES-SHOWN",
                "The session showed everything it had to show",
                None,
                file,
                RUN,
                SESSION,
                "nothing is listed as shown",
            )
        )
    for item in shown:
        name = "SHOWN-" + _slug(item["name"])
        claims.append(
            _claim(
                name,
                f"Shown in the session: {item['name']}",
                item["ok"],
                file,
                RUN,
                SESSION,
                str(item.get("detail", "")),
            )
        )
    return claims


def _files(inputs: Inputs) -> list[Claim]:
    recorded = (inputs.session or {}).get("artefacts", {})
    needed = (inputs.journal_file, inputs.bars_file)
    wrong: list[str] = []
    for ref in (
        *needed,
        inputs.audit_file,
        inputs.check_file,
        inputs.corpus_file,
        inputs.coverage_file,
        *inputs.junit_files,
        *inputs.other_files,
    ):
        if ref.tampered:
            wrong.append(
                f"{ref.name} is not the file that the session recorded: "
                f"{ref.sha256[:12]}…, recorded {ref.recorded[:12]}…"
            )
        elif ref.recorded and not ref.present:
            wrong.append(f"{ref.name} was recorded and is missing")
    bare = [ref.name for ref in needed if ref.present and not ref.recorded]
    if wrong:
        state: bool | None = False
    elif not recorded or bare:
        state = None
        wrong = [f"no hash recorded for {listed(bare)}" if bare else "the session recorded no hash"]
    else:
        state = True
    claims = [
        _claim(
            "SES-FILES",
            "Every file of the run has the hash that the session recorded for it",
            state,
            inputs.session_file,
            RUN,
            SESSION,
            "; ".join(dict.fromkeys(wrong)) or f"{len(recorded)} files compared",
        ),
    ]
    for name, text, ref in (
        ("SES-JOURNAL", "The kernel's journal is there", inputs.journal_file),
        (
            "SES-BARS",
            "Equity, multiplier, factors and posture are there for every bar",
            inputs.bars_file,
        ),
    ):
        detail = "" if ref.present else f"{ref.name} is missing"
        held = ref.readable
        if ref is inputs.bars_file and inputs.bars is not None:
            bars = inputs.bars["bar"]
            detail = f"{len(bars):,} bars"
            if list(bars) != list(range(bars[0], bars[0] + len(bars))):
                held, detail = False, "bars are missing, repeated or out of order"
        if ref.tampered:
            detail = "not the file that the session recorded"
        claims.append(_claim(name, text, held, ref, RUN, SESSION, detail))
    return claims


def _named(inputs: Inputs) -> list[Claim]:
    """Claims about what the session says of its surroundings: stand-ins, processes, isolation."""
    session, file = inputs.session or {}, inputs.session_file
    stand_ins = session.get("stand_ins")
    claims = [
        _claim(
            "SES-STANDINS",
            "What stands in for a sensor is named",
            None
            if stand_ins is None
            else all(isinstance(text, str) and text for text in stand_ins.values()),
            file,
            RUN,
            SESSION,
            "" if stand_ins is None else f"{len(stand_ins)} named",
        ),
    ]
    processes = session.get("processes")
    pids = [row.get("pid") for row in processes or []]
    kernel = [row for row in processes or [] if row["name"] == "kernel"]
    apart: bool | None = None
    if processes:
        # A respawned process has two pids; two processes with one pid are one process.
        apart = bool(kernel) and len(processes) > 1 and len(set(pids)) == len(pids)
    claims.append(
        _claim(
            "ISO-PROCESSES",
            "The kernel ran in a process of its own",
            apart,
            file,
            RUN,
            SESSION,
            f"{len(pids)} processes" if processes else "",
        )
    )
    measures = session.get("isolation")
    missing = [row["measure"] for row in measures or [] if not row["held"]]
    state = None if not measures or missing else True
    detail = f"not held here: {listed(missing)}" if missing else ""
    if not measures:
        detail = "no measure is recorded"
    claims.append(
        _claim(
            "ISO-DAL-A",
            "The machine permitted every measure of isolation; without "
            "that, nothing here says 'DAL A isolated'",
            state,
            file,
            RUN,
            PACKAGE,
            detail,
        )
    )
    commit, dirty = session.get("commit"), session.get("dirty")
    state = None if not commit or dirty is None else not dirty
    detail = "no revision is recorded" if not commit else f"revision {str(commit)[:12]}"
    if commit and dirty:
        detail += ", with changes that are in no revision"
    claims.append(
        _claim(
            "CFG-REVISION",
            "The session ran from a recorded revision of the source",
            state,
            file,
            RUN,
            PACKAGE,
            detail,
        )
    )
    return claims


# --- the audit -----------------------------------------------------------------------------------


def _outcome(value: object, journals: int) -> bool | None:
    """Return what an audit's field says: true, false, a count of journals, or words."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value == journals and journals > 0
    if isinstance(value, Mapping):
        return _outcome(value.get("ok"), journals)
    if isinstance(value, str) and value in ("holds", "yes", "authentic", "intact", "conformant"):
        return True
    if isinstance(value, str) and value in ("does not hold", "no", "forged", "rejected"):
        return False
    return None


def audited_digests(audit: Mapping[str, Any]) -> tuple[str, ...]:
    """Return every SHA-256 that an audit names among its journals."""
    found: list[str] = []
    for key in ("journals", "files", "inputs"):
        rows = audit.get(key)
        if isinstance(rows, Mapping):
            rows = list(rows.values())
        for row in rows if isinstance(rows, list) else []:
            digest = row.get("sha256") if isinstance(row, Mapping) else row
            if isinstance(digest, str) and re.fullmatch(r"[0-9a-f]{64}", digest):
                found.append(digest)
    return tuple(found)


def _audit(inputs: Inputs) -> list[Claim]:
    file, audit = inputs.audit_file, inputs.audit
    rows = (
        (
            "AUD-INTACT",
            "intact",
            "The journal is intact: checksums, chain, no gap, closed",
            SESSION,
        ),
        (
            "AUD-REPLAYED",
            "replayed",
            "Replaying the journal through the kernel gives the same digests",
            SESSION,
        ),
        (
            "AUD-CONFORMANT",
            "conformant",
            "Every step in the journal is one that the TLA+ model allows",
            SESSION,
        ),
        ("AUD-AUTHENTIC", "authentic", "The journal's anchors carry the right keyed MAC", PACKAGE),
    )
    same_text = "The audit judged the journal that lies in this folder"
    if audit is None:
        why = (
            "not the file that the session recorded" if file.present else f"{file.name} is missing"
        )
        state = False if file.present else None
        return [
            *(_claim(name, text, state, file, AUDIT, scope, why) for name, _, text, scope in rows),
            _claim("AUD-JOURNAL", same_text, state, file, AUDIT, SESSION, why),
        ]
    journals = audit.get("journals")
    number = journals if isinstance(journals, int) else len(journals or [1])
    rejection = audit.get("rejection")
    claims = []
    for name, key, text, scope in rows:
        held = _outcome(audit.get(key), number)
        detail = "" if held else (str(audit.get(key)) if isinstance(audit.get(key), str) else "")
        if held is None and not detail:
            detail = "authenticity not checked" if key == "authentic" else "the audit does not say"
        if held is False and rejection:
            detail = rejection_text(rejection)
        claims.append(_claim(name, text, held, file, AUDIT, scope, detail))
    whole = all(claim.status == HOLDS for claim in claims if claim.scope == SESSION)
    if whole and not audit["ok"]:
        claims[2] = replace(claims[2], status=DOES_NOT_HOLD, detail="the audit as a whole says no")
    digests = audited_digests(audit)
    same: bool | None = None
    detail = "the audit names no journal by its hash"
    if digests:
        same = inputs.journal_file.present and inputs.journal_file.sha256 in digests
        detail = "" if same else "the audit is of another journal"
    claims.append(_claim("AUD-JOURNAL", same_text, same, file, AUDIT, SESSION, detail))
    return claims


def rejection_text(rejection: object) -> str:
    """Return an audit's rejection on one line."""
    if isinstance(rejection, Mapping):
        if isinstance(rejection.get("text"), str):
            return str(rejection["text"])
        return ", ".join(
            f"{key}: {value}" for key, value in rejection.items() if isinstance(value, str | int)
        )
    return str(rejection)


# --- the models ----------------------------------------------------------------------------------


def model_problems(row: Mapping[str, Any], pinned: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return what is wrong with one row of ``check.json``, judged anew against the manifest."""
    problems = [str(text) for text in row.get("problems", [])]
    if row["result"] != row["expected"]:
        problems.append(f"expected {row['expected']}, TLC said {row['result']}")
    if pinned is not None:
        if row["expected"] != pinned["expected"]:
            problems.append(f"the manifest expects {pinned['expected']}")
        for key in ("distinct", "generated", "diameter"):
            want = pinned.get(key, -1)
            if isinstance(want, int) and want >= 0 and row.get(key) != want:
                problems.append(f"{key} is {row.get(key)}, pinned {want}")
    return tuple(dict.fromkeys(problems))


def is_stale(
    row: Mapping[str, Any], pinned: Mapping[str, Any] | None, configurations: Mapping[str, str]
) -> bool:
    """Return whether a row was checked with a configuration that is no longer the one on disk."""
    cfg = (pinned or {}).get("cfg", row["name"] + ".cfg")
    digest = row.get("cfg_sha256")
    return bool(digest) and cfg in configurations and configurations[cfg] != digest


def _models(inputs: Inputs) -> list[Claim]:
    file, check = inputs.check_file, inputs.check
    controls_text = "Every negative control fails with exactly the violation it names"
    suite_text = "Every model in the manifest was checked, and the suite itself is whole"
    if check is None:
        why = (
            "not the file that the session recorded" if file.present else f"{file.name} is missing"
        )
        unread = False if file.present else None
        return [
            _claim("MOD-SUITE", suite_text, unread, file, CHECK, PACKAGE, why),
            _claim("MOD-CONTROLS", controls_text, unread, file, CHECK, PACKAGE, why),
        ]
    manifest = {row["name"]: row for row in (inputs.manifest or {}).get("models", [])}
    good = [row for row in check["models"] if row["expected"] == "success"]
    bad = [row for row in check["models"] if row["expected"] != "success"]
    claims = []
    for row in good:
        pinned = manifest.get(row["name"])
        problems = model_problems(row, pinned)
        state: bool | None = not problems
        detail = "; ".join(problems) or f"{row.get('distinct', 0):,} distinct states"
        if not problems and is_stale(row, pinned, inputs.configurations):
            state, detail = None, "its configuration changed after this run"
        claims.append(
            _claim(
                "MOD-" + _slug(row["name"]),
                f"Model {row['name']} ({row['mode']}) holds, with the pinned counts",
                state,
                file,
                CHECK,
                PACKAGE,
                detail,
            )
        )
    failing = [row["name"] for row in bad if model_problems(row, manifest.get(row["name"]))]
    old = [
        row["name"]
        for row in bad
        if is_stale(row, manifest.get(row["name"]), inputs.configurations)
    ]
    said = check["negative_controls"]
    total, as_wanted = said.get("total", 0), said.get("failed_as_expected", 0)
    state = True
    detail = f"{total} of {total}"
    if failing:
        state, detail = False, f"did not fail as expected: {listed(failing)}"
    elif total != as_wanted:
        state, detail = False, f"{as_wanted} of {total} failed as expected"
    elif bad and total != len(bad):
        state, detail = False, f"{total} controls counted, {len(bad)} listed"
    elif total == 0:
        state, detail = None, "no control was run"
    elif old:
        state, detail = None, f"configuration changed after the run: {listed(old)}"
    claims.append(_claim("MOD-CONTROLS", controls_text, state, file, CHECK, PACKAGE, detail))
    faults = [str(text) for text in check.get("problems", [])]
    ran = {row["name"] for row in check["models"]}
    absent = [name for name in manifest if name not in ran]
    state = True
    detail = f"{len(check['models'])} rows"
    if faults or (not check["ok"] and all(c.status != DOES_NOT_HOLD for c in claims)):
        state, detail = False, listed(faults, 3) or "the check as a whole says no"
    elif not manifest:
        state, detail = None, "no manifest to compare with"
    elif absent:
        state, detail = None, f"not run: {listed(absent)}"
    elif not good:
        state, detail = None, "no model was run"
    claims.append(_claim("MOD-SUITE", suite_text, state, file, CHECK, PACKAGE, detail))
    return claims


# --- conformance, tests, coverage ----------------------------------------------------------------


def _corpus(inputs: Inputs) -> list[Claim]:
    text = "Every edge of the models' state graphs replays through the kernel with the same outcome"
    file, corpus = inputs.corpus_file, inputs.corpus
    if corpus is not None:
        edges, replayed = corpus.get("edges", 0), corpus.get("replayed", 0)
        wrong = [
            f"{corpus[key]} {key}"
            for key in ("mismatched", "unmapped", "drifted")
            if corpus.get(key)
        ]
        if not corpus["ok"] or wrong:
            return [
                _claim(
                    "CON-EDGES",
                    text,
                    False,
                    file,
                    CORPUS,
                    PACKAGE,
                    ", ".join(wrong) or "the replay as a whole says no",
                )
            ]
        state = True if edges and edges == replayed else None
        return [
            _claim(
                "CON-EDGES", text, state, file, CORPUS, PACKAGE, f"{replayed:,} of {edges:,} edges"
            )
        ]
    if file.present:
        return [
            _claim(
                "CON-EDGES",
                text,
                False,
                file,
                CORPUS,
                PACKAGE,
                "not the file that the session recorded",
            )
        ]
    return [_claim("CON-EDGES", text, None, file, CORPUS, PACKAGE, f"{file.name} is missing")]


def stale_because(inputs: Inputs, finished: float) -> str:
    """Return why a test run does not speak of this source; "" where it does."""
    name, changed = inputs.newest_source
    if not finished:
        return "the file does not say when the tests ran"
    if changed > finished:
        when = datetime.fromtimestamp(finished, UTC).strftime("%Y-%m-%d %H:%M")
        return f"{name} changed after these tests ended ({when} UTC)"
    return ""


def _tests(inputs: Inputs) -> list[Claim]:
    text = "Every test that was recorded passed"
    tampered = [ref for ref in inputs.junit_files if ref.tampered]
    if tampered:
        return [
            _claim(
                "TST-PASS",
                text,
                False,
                tampered[0],
                TEST,
                PACKAGE,
                "not the file that the session recorded",
            )
        ]
    if not inputs.tests:
        return [
            _claim(
                "TST-PASS",
                text,
                None,
                inputs.junit_files[0],
                TEST,
                PACKAGE,
                f"{inputs.junit_files[0].name} is missing",
            )
        ]
    claims = []
    for number, run in enumerate(inputs.tests, 1):
        name = "TST-PASS" if len(inputs.tests) == 1 else f"TST-PASS-{number}"
        detail = f"{run.passed:,} passed, {run.skipped} skipped (not counted as passed)"
        state: bool | None = True
        why = stale_because(inputs, run.finished)
        if run.failing:
            state, detail = False, f"failing: {listed(run.failing, 3)}"
        elif run.passed == 0:
            state, detail = None, "no test passed or failed"
        elif why:
            state, detail = None, why
        claims.append(_claim(name, text, state, run.file, TEST, PACKAGE, detail))
    return claims


def uncovered(coverage: Mapping[str, Any], folder: str) -> tuple[int, tuple[str, ...]]:
    """Return how many files of ``folder`` were measured, and those not wholly executed."""
    measured = 0
    short = []
    for name, data in sorted(coverage["files"].items()):
        if name.replace("\\", "/").split("/")[0] != folder:
            continue
        measured += 1
        summary = data.get("summary", {})
        lines = summary.get("missing_lines", 1)
        branches = summary.get("missing_branches", 1)
        if lines or branches:
            short.append(f"{name} ({lines} lines, {branches} branches)")
    return measured, tuple(short)


def _coverage(inputs: Inputs) -> list[Claim]:
    text = "The tests execute every statement and branch of kernel/ (MC/DC is a claim of its own)"
    file, coverage = inputs.coverage_file, inputs.coverage
    command = "coverage run -m pytest && coverage json"
    if coverage is None:
        why = (
            "not the file that the session recorded" if file.present else f"{file.name} is missing"
        )
        return [
            _claim("COV-BRANCH", text, False if file.present else None, file, command, PACKAGE, why)
        ]
    measured, short = uncovered(coverage, "kernel")
    state = None if not measured else not short
    detail = listed(short, 3) if short else f"{measured} files"
    return [_claim("COV-BRANCH", text, state, file, command, PACKAGE, detail)]


# --- configuration and tools ---------------------------------------------------------------------


def _configuration(inputs: Inputs) -> list[Claim]:
    claims = [
        _claim(
            "DOC-CONTRACT",
            "The kernel's contract is written down, event by event",
            inputs.contract_file.present or None,
            inputs.contract_file,
            "docs/KERNEL.md",
        ),
    ]
    loose: list[str] = []
    count = 0
    for ref in inputs.lock_files:
        for package, version, hashes in pinned_packages(ref.path.read_text(encoding="utf-8")):
            count += 1
            if not version or not hashes:
                loose.append(f"{package} in {ref.name}")
    first = (
        inputs.lock_files[0]
        if inputs.lock_files
        else replace(inputs.makefile, sha256="", name="locks/")
    )
    claims.append(
        _claim(
            "CFG-LOCKS",
            "Every package is pinned by version and hash",
            None if not count else not loose,
            first,
            "make lock",
            PACKAGE,
            f"not pinned: {listed(loose)}"
            if loose
            else (
                f"{count} pins in {len(inputs.lock_files)} locks" if count else "no lock is there"
            ),
        )
    )
    pinned = pinned_tlc(inputs.makefile.path.read_text("utf-8")) if inputs.makefile.present else ""
    jar = inputs.tlc_file
    state = None if not jar.present or not pinned else jar.sha256 == pinned
    detail = "" if state else f"{jar.name} is missing" if not jar.present else "not the pinned jar"
    claims.append(
        _claim(
            "CFG-TLC",
            "TLC's jar is the one pinned by hash",
            state,
            jar,
            "make jars",
            PACKAGE,
            detail,
        )
    )
    return claims


LATER = (
    (
        "PRF-CONTRACTS",
        "Every function of the kernel's core is proved to keep its contract (Nagini)",
    ),
    ("PRF-INDUCTIVE", "The kernel's invariant is proved inductive over unbounded integers"),
    ("PRF-CROSSHAIR", "CrossHair finds no violated contract"),
    (
        "PRF-ROCQ",
        "The mathematics of the survival curves is proved in Rocq, without axioms of ours",
    ),
    ("COV-MCDC", "Level A code has 100 % masking MC/DC by requirement-based tests"),
    ("MUT-KILLED", "Every mutant of code, specification and trace is killed or justified"),
    ("REQ-TRACED", "Every requirement has a test that was executed and passed; no orphan"),
)


def _later() -> list[Claim]:
    return [
        Claim(
            name,
            text,
            NOT_RUN,
            PACKAGE,
            "",
            "",
            "dolphin verify --lane full --json",
            "this version of the project has no command that makes it",
        )
        for name, text in LATER
    ]


def judge(inputs: Inputs) -> tuple[Claim, ...]:
    """Return every claim of the report, each with its state, in the order of the page."""
    claims = [
        *_session(inputs),
        *_files(inputs),
        *_named(inputs),
        *_audit(inputs),
        *_models(inputs),
        *_corpus(inputs),
        *_tests(inputs),
        *_coverage(inputs),
        *_configuration(inputs),
        *_later(),
    ]
    seen: dict[str, int] = {}
    named = []
    for claim in claims:
        seen[claim.id] = seen.get(claim.id, 0) + 1
        again = seen[claim.id]
        named.append(claim if again == 1 else replace(claim, id=f"{claim.id}-{again}"))
    return tuple(named)
