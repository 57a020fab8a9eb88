"""Claims about the session: its end, what it showed, its files, its surroundings.

Rules of this file:

*   A session that left no ``session.json`` did not end: that does not hold, it is not "not run".
*   A file that is not the one recorded spoils the claim about files, whatever is in it. What every
    session leaves must be among those recorded: what is left out is named.
*   What the session does not say of itself (stand-ins, processes, measures) counts as not run.

Not here: the journal's audit (``audit.py``).
"""

from certification.artefacts import Inputs
from certification.claims import (
    COMMIT,
    NOTHING,
    PACKAGE,
    RUN,
    SESSION,
    Claim,
    claim_over,
    listed,
    slug,
)


def session_claims(inputs: Inputs) -> list[Claim]:
    file, session = inputs.session_file, inputs.session
    if session is None:
        return [
            claim_over(
                "SES-VERDICT",
                "The session ran to its end and judged itself PASS",
                False,
                file,
                RUN,
                SESSION,
                f"{file.short} is missing: no session ran to its end here",
            ),
            claim_over(
                "SES-SHOWN",
                "The session showed everything it had to show",
                None,
                file,
                RUN,
                SESSION,
                f"{file.short} is missing",
            ),
        ]
    claims = [
        claim_over(
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
            claim_over(
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
        name = "SHOWN-" + slug(item["name"])
        claims.append(
            claim_over(
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


# What a session leaves, each with its hash in ``session.json``: its journal and ledger, its bars,
# its configuration, and the accounts of the processes.
NEEDED = (
    "journal.bin", "ledger.bin", "bars.parquet", "config.json",
    "kernel.json", "guard.json", "venue.json", "driver.json",
)  # fmt: skip


def file_claims(inputs: Inputs) -> list[Claim]:
    recorded = (inputs.session or {}).get("artefacts", {})
    wrong: list[str] = []
    for ref in (
        inputs.journal_file,
        inputs.bars_file,
        inputs.audit_file,
        *inputs.check_files,
        *inputs.junit_files,
        *inputs.other_files,
    ):
        if ref.tampered:
            wrong.append(
                f"{ref.short} is not the file that the session recorded: "
                f"{ref.sha256[:12]}…, recorded {ref.recorded[:12]}…"
            )
        elif ref.recorded and not ref.present:
            wrong.append(f"{ref.short} was recorded and is missing")
    bare = [name for name in NEEDED if name not in recorded]
    if wrong:
        state: bool | None = False
    elif not recorded or bare:
        state = None
        wrong = [
            f"no hash recorded for {listed(bare)}" if recorded else "the session recorded no hash"
        ]
    else:
        state = True
    claims = [
        claim_over(
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
        detail = "" if ref.present else f"{ref.short} is missing"
        held = ref.readable
        if ref is inputs.bars_file and inputs.bars is not None:
            bars = inputs.bars["bar"]
            detail = f"{len(bars):,} bars"
            if list(bars) != list(range(bars[0], bars[0] + len(bars))):
                held, detail = False, "bars are missing, repeated or out of order"
        if ref.tampered:
            detail = "not the file that the session recorded"
        claims.append(claim_over(name, text, held, ref, RUN, SESSION, detail))
    return claims


def trade_claims(inputs: Inputs) -> list[Claim]:
    """The listed trades, priced from their own values, make up the change of the ledger's cash."""
    text = "The trades listed add up, micro-USDT by micro-USDT, to the change of the ledger's cash"
    session = inputs.session or {}
    trades, cash = session.get("trades"), session.get("cash") or {}
    state: bool | None = None
    detail = "the session lists no trades, or not what the ledger held"
    if trades is not None and cash.get("first") is not None:
        signs = {"long": 1, "short": -1}
        known = all(row["side"] in signs for row in trades)
        sums = [
            signs.get(row["side"], 0) * (row["exit_value"] - row["entry_value"])
            for row in trades
            if row["result"] is not None
        ]
        made = sum(sums) - sum(row["fees"] for row in trades)
        change = cash["last"] - cash["first"]
        said = sum(row["result"] for row in trades if row["result"] is not None)
        fees = sum(row["fees"] for row in trades if row["result"] is None)
        state = known and made == change == said - fees
        detail = f"{len(trades)} trades, {change:,} micro-USDT"
        if not state:
            detail = f"trades make {made:,} micro-USDT, the ledger's cash changed by {change:,}"
    # A session of an older version lists none: that leaves the package open, not the session.
    scope = PACKAGE if state is None else SESSION
    return [claim_over("SES-TRADES", text, state, inputs.session_file, RUN, scope, detail)]


def surrounding_claims(inputs: Inputs) -> list[Claim]:
    """Claims about what the session says of its surroundings: stand-ins, processes, isolation."""
    session, file = inputs.session or {}, inputs.session_file
    stand_ins = session.get("stand_ins")
    claims = [
        claim_over(
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
    pids = [row["pid"] for row in processes or [] if row["pid"]]
    kernel = [row for row in processes or [] if row["name"] == "kernel"]
    apart: bool | None = None
    if processes:
        # Two processes with one pid are one process; a pid of 0 had ended when the list was made.
        apart = bool(kernel and kernel[0]["pid"]) and len(set(pids)) == len(pids) > 1
    claims.append(
        claim_over(
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
        claim_over(
            "ISO-DAL-A",
            "Every measure of isolation held; without that, nothing here says 'DAL A isolated'",
            state,
            file,
            NOTHING,
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
        claim_over(
            "CFG-REVISION",
            "The session ran from a recorded revision of the source",
            state,
            file,
            COMMIT,
            PACKAGE,
            detail,
        )
    )
    return claims
