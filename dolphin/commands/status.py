"""``dolphin status``: the running sessions, and the state that a kernel reports.

Rules of this file: where several sessions run and none is named, or with ``--all``, a list with a
line for each; else the one session in full. Exit 0 with a session, 1 where its kernel does not
answer, 2 without a session.

Not here: the document (``dolphin/shell/snapshot.py``), which sessions run
(``dolphin/ops/registry.py``).
"""

import json
import sys

import click
from msgspec import to_builtins
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dolphin.link.config import Config
from dolphin.link.messages import Status
from dolphin.ops.operator import (
    BAD_INPUT,
    SESSION_HELP,
    NoAnswer,
    NoSession,
    OperatorClient,
    age,
    at_once,
    client_of,
    fail,
    patience,
    words,
)
from dolphin.ops.registry import NoRegistry, Running, running
from kernel.constants import PPM, Posture

DRILLS = "yes: it kills, floods and forges on purpose, so a kill may be a drill"
WIDTH_MAX = 1_000
FACTORS = (
    ("cat1_ppm", "kill-switch"),
    ("structural_ppm", "structural"),
    ("micro_ppm", "microstructure"),
    ("environment_ppm", "environment"),
    ("capital_ppm", "capital"),
)


def _status(config: Config) -> Status | None:
    """Return a session's status, None where its kernel does not answer."""
    try:
        return OperatorClient(config, patience(config)).status()
    except NoSession:
        return None


def money(amount: int) -> str:
    """Return micro-USDT as a person reads it."""
    return f"{amount / PPM:,.2f}"


def _list(found: list[Running], as_json: bool) -> int:
    """Show a line for each session; return the exit code."""
    statuses = at_once(_status, [one.config for one in found])
    if as_json:
        rows = [
            {
                "session": one.name,
                "folder": one.folder,
                "pid": one.pid,
                "age_s": round(one.age_s, 1),
                "drills": one.config.demonstration,
                "status": to_builtins(now),
            }
            for one, now in zip(found, statuses, strict=True)
        ]
        click.echo(json.dumps({"sessions": rows}))
    else:
        table = Table(box=None, pad_edge=False)
        for title in ("session", "age", "drills", "posture", "killed"):
            table.add_column(title, no_wrap=True)
        for title in ("capital", "equity", "drawdown"):
            table.add_column(title, justify="right", no_wrap=True)
        table.add_column("folder", overflow="fold")
        for one, now in zip(found, statuses, strict=True):
            cells = ["does not answer", "", "", "", ""]
            if now is not None:
                killed = "+".join(now.causes) if now.killed else "no"
                drawdown = f"{100 * now.drawdown_ppm / PPM:.2f} %"
                cells = [Posture(now.posture).name, killed]
                cells += [money(now.capital), money(now.equity), drawdown]
            name, folder = escape(words(one.name)), escape(words(one.folder))
            drills = "yes" if one.config.demonstration else "no"
            table.add_row(name, age(one.age_s), drills, *cells, folder)
        # As wide as it needs to be: a name that is cut names nothing.
        Console(width=WIDTH_MAX).print(table)
    return 0 if all(now is not None for now in statuses) else 1


@click.command()
@click.option("--session", metavar="NAME", help=SESSION_HELP)
@click.option("--all", "every", is_flag=True, help="A line for every running session of yours.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
def command(session: str | None, every: bool, as_json: bool) -> None:
    """Show the running sessions: all in a list, or one with its figures in full.

    In full are posture, multiplier and its five factors, causes, positions and capital. A session
    that runs alone need not be named.
    """
    if every and session is not None:
        fail("status", "one of --session and --all is possible, not both", BAD_INPUT)
    try:
        found = running() if session is None else []
    except NoRegistry as error:
        fail("status", str(error), BAD_INPUT)
    if found and (every or len(found) > 1):
        sys.exit(_list(found, as_json))
    client = client_of("status", session)
    try:
        now = client.status()
    except NoAnswer as error:
        fail("status", str(error), 1)
    if as_json:
        shown = {"session": client.name, "folder": client.config.folder}
        click.echo(json.dumps(shown | {"drills": client.config.demonstration} | to_builtins(now)))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("session", escape(words(client.name)))
    table.add_row("folder", escape(words(client.config.folder)))
    table.add_row("drills", DRILLS if client.config.demonstration else "no")
    table.add_row("posture", Posture(now.posture).name)
    killed = "+".join(now.causes) if now.killed else "no"
    table.add_row("killed", killed)
    table.add_row("multiplier", f"{now.multiplier_ppm / PPM:.4f}")
    for name, label in FACTORS:
        table.add_row(f"  {label}", f"{getattr(now, name) / PPM:.4f}")
    table.add_row("capital", f"{money(now.capital)} USDT")
    table.add_row("equity", f"{money(now.equity)} USDT")
    table.add_row("drawdown", f"{100 * now.drawdown_ppm / PPM:.2f} %")
    fence = "confirmed" if now.fence_confirmed else "waiting for the guard"
    table.add_row("fence", f"epoch {now.fence_epoch}, {fence}")
    for worker, slot in enumerate(now.slots):
        if slot.quantity:
            symbol = escape(client.config.symbols[slot.instrument - 1])
            lots = f"{slot.quantity} lots of {symbol} at {slot.mark}"
            table.add_row("position", f"worker {worker}: {lots}")
    Console(width=WIDTH_MAX).print(table)
