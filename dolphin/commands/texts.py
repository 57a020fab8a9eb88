"""What ``--help`` says: of the whole program, and of each command.

Rules of this file:

*   Every text answers, in this order: what the command does, on what, an example, what its exit
    code says. ``tests/dolphin/test_help.py`` holds that.
*   Plain English for a reader who has seen nothing else of this project.
*   A paragraph that begins with backspace is not re-flowed: click's rule.

Not here: what a single option means (beside the option, in the command's module).
"""

from collections.abc import Mapping

PROGRAM = """Trade crypto futures on paper under a formally verified safety kernel.

The kernel is a small program that decides which orders may pass, how large a position may get,
and when everything must stop. It is specified in TLA+, model checked, proved and tested;
signals, data feeds and reports run in other processes and can only ask it. No command touches a
real exchange.

Begin with a session on a generated market, then open the report that it names:

\b
    dolphin run                  play a session, audit it, write its report
    dolphin status               in another terminal: what it is doing
    dolphin kill --reason "..."  stop it safely: no new orders, positions closed

Every command says with its exit code what it found: 0 what it claims holds, 1 it does not hold,
2 bad input (one line names it, nothing was written), 3 something needed was not run. "Not run"
never counts as passed. Most take --json and print one JSON document.
"""

# In the order of use. A group's name → its commands → one line each.
GROUPS: Mapping[str, Mapping[str, str]] = {
    "Trade on paper": {
        "run": "play a market session through the real processes, audit it, report it",
        "certify": "write the evidence report of a finished session",
    },
    "Operate a running session": {
        "status": "show what a running session is doing",
        "kill": "stop trading at once and close all positions",
        "rearm": "allow trading again after a kill, in two steps",
        "reset-peak": "measure drawdown from today's equity, in two steps",
    },
    "Check the evidence": {
        "audit": "check a journal: intact, reproducible, allowed by the model?",
        "check": "model check the TLA+ specifications with TLC",
        "verify": "verify the kernel's code: proofs, coverage, mutants, requirements",
    },
    "Work on the code": {
        "impact": "list what depends on a name or a change, and what to run again",
        "bench": "measure kernel steps and audited records per second",
    },
}

TEXTS: Mapping[str, str] = {
    "run": """Play a market session on paper, audit its journal and write its report.

    Every part runs as a process of its own: kernel, order guard, paper exchange, data feed,
    sensors, strategy. Without --data a market is generated, and drills (kills, crashes,
    forbidden orders) show that each protection works. With --data the market of a Parquet file
    of closing prices is played whole, without drills.

    \b
    Examples:
        dolphin run
        dolphin run --seed 7
        dolphin run --data prices.parquet

    \b
    Exit codes:
        0  the session showed what it had to, and the audit allows its journal
        1  one of them does not hold
        2  bad input; nothing was started
        3  something needed was not run, the audit for example
    """,
    "certify": """Write the evidence report of a session: report.html and evidence.json.

    RUN is a session's folder, or its name below runs/; without it the newest one. The report
    gives a verdict, each claim with the file and hash it rests on, and what was not shown.

    \b
    Examples:
        dolphin certify
        dolphin certify runs/20261130-120000-bible-0

    \b
    Exit codes:
        0  every claim of the report holds
        1  one does not hold
        2  there is no such session
        3  evidence is missing
    """,
    "status": """Show what a running session is doing.

    Posture (what kind of order may be asked for), risk multiplier and the five factors it is made
    of, what has tripped the kill-switch, positions and capital. Where several sessions run, they
    are listed; --session names one of them.

    \b
    Examples:
        dolphin status
        dolphin status --session 20261130-12

    \b
    Exit codes:
        0  shown
        1  the session's kernel does not answer
        2  no session is running, or not the one that was named
    """,
    "kill": """Stop trading at once: the operator's kill-switch.

    In one step the kernel sets the risk multiplier to 0, cancels every open order and, once no
    older order can still be filled, closes every position. It stays so until `dolphin rearm`. The
    reason is written to the journal. Where several sessions run, --session or --all says which are
    meant.

    \b
    Examples:
        dolphin kill --reason "exchange announces maintenance"
        dolphin kill --all

    \b
    Exit codes:
        0  every kernel that was meant took it
        1  one refused it or did not answer, and is named
        2  no session is running, or it is not clear which one is meant
    """,
    "rearm": """Allow trading again after a kill, in two steps.

    First --request, then, after a cooling time, --confirm. The risk multiplier then starts from
    0 and grows slowly while the sensors are healthy.

    \b
    Example:
        dolphin rearm --request --reason "maintenance is over"
        dolphin rearm --confirm

    \b
    Exit codes:
        0  the kernel took the step
        1  the kernel refused it; the reason is printed
        2  no session is running, or bad input
    """,
    "reset-peak": """Measure drawdown from the equity of now, in two steps.

    Drawdown lowers the risk multiplier, and a loss that is large enough would forbid every
    entry for ever. An operator may therefore set the peak to the present equity, only while no
    position is open: first --request, then, after a cooling time, --confirm.

    \b
    Example:
        dolphin reset-peak --request --reason "new capital base agreed"
        dolphin reset-peak --confirm

    \b
    Exit codes:
        0  the kernel took the step
        1  the kernel refused it; the reason is printed
        2  no session is running, or bad input
    """,
    "audit": """Check journals: did this system ever do what its model forbids?

    FILES are journals (journal.bin of a session). Four questions, in this order: is the file
    intact and complete, is it authentic (with the key), does replaying it through the kernel
    give the same states, and is every step one that the TLA+ model allows? A rejected record is
    explained.

    \b
    Example:
        dolphin audit runs/20261130-120000-bible-0/journal.bin

    \b
    Exit codes:
        0  every question was answered with yes
        1  one was answered with no
        2  no such file, or not a journal
        3  a question could not be answered
    """,
    "check": """Model check the TLA+ specifications with TLC.

    MODELs are names of configurations in spec/tla/manifest.json; without one, all of the lane.
    Each model must give exactly the result and the number of states that the manifest has on
    record, and each negative control (a model with one protection removed) must fail as named.
    The fast lane takes about two minutes, the exhaustive one hours.

    \b
    Examples:
        dolphin check
        dolphin check MCPosture --svg pictures

    \b
    Exit codes:
        0  every model gave the result on record
        1  one did not
        2  bad input, an unknown model for example
        3  Java or TLC is missing
    """,
    "verify": """Verify the kernel's code: proofs, coverage, mutants, requirements.

    Runs the items of a lane, or those named with --only; --list names them. The fast lane takes
    samples and is part of `make test`; the full lane takes everything, for hours (`make
    check-all`). What held here before, or is on record (certification/records/), for exactly the
    same inputs is not run again, and is counted apart.

    \b
    Examples:
        dolphin verify --list
        dolphin verify --only requirements

    \b
    Exit codes:
        0  every item holds
        1  one does not hold
        2  bad input, an unknown item for example
        3  an item was not run
    """,
    "impact": """List what depends on a NAME, and what to run again when it changes.

    NAME is an action, a function, an invariant, an operator, a requirement, a module or a file;
    with --diff the names are those that the working tree changed.

    \b
    Examples:
        dolphin impact TripKillSwitch
        dolphin impact --diff HEAD~1

    \b
    Exit codes:
        0  listed
        2  bad input, an unknown name for example
    """,
    "bench": """Measure kernel steps, journal records and audited records per second.

    On this machine, now; figures of different machines do not compare.

    \b
    Example:
        dolphin bench --records 20000

    \b
    Exit codes:
        0  measured, and the audit allowed what it was given
        1  the audit rejected it
        2  bad input
        3  part of it could not be measured: Java or TLC is missing
    """,
}
