"""``dolphin status``: what the kernel of the running session says of itself.

Exit 0 with a session, 2 without. Not here: the document (``dolphin/shell/snapshot.py``).
"""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from dolphin.ops.operator import NoSession, fail, hand_of
from kernel.constants import PPM, Posture

FACTORS = (
    ("cat1_ppm", "kill-switch"),
    ("structural_ppm", "structural"),
    ("micro_ppm", "microstructure"),
    ("environment_ppm", "environment"),
    ("capital_ppm", "capital"),
)


@click.command()
@click.option("--session", type=click.Path(path_type=Path), help="A run's folder.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(session: Path | None, as_json: bool) -> None:
    """Show posture, multiplier and its five factors, causes, positions and capital."""
    hand = hand_of("status", session)
    try:
        now = hand.status()
    except NoSession as error:
        fail("status", str(error), 2)
    if as_json:
        click.echo(json.dumps({"session": hand.config.id, **now}))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("session", hand.config.id)
    table.add_row("posture", Posture(now["posture"]).name)
    killed = "+".join(now["causes"]) if now["killed"] else "no"
    table.add_row("killed", killed)
    table.add_row("multiplier", f"{now['multiplier_ppm'] / PPM:.4f}")
    for name, label in FACTORS:
        table.add_row(f"  {label}", f"{now[name] / PPM:.4f}")
    table.add_row("capital", f"{now['capital'] / PPM:,.2f} USDT")
    table.add_row("equity", f"{now['equity'] / PPM:,.2f} USDT")
    table.add_row("drawdown", f"{100 * now['drawdown_ppm'] / PPM:.2f} %")
    fence = "confirmed" if now["fence_confirmed"] else "waiting for the guard"
    table.add_row("fence", f"epoch {now['fence_epoch']}, {fence}")
    for worker, (instrument, mark, quantity, _cost, _permit) in enumerate(now["slots"]):
        if quantity:
            symbol = hand.config.symbols[instrument - 1]
            table.add_row("position", f"worker {worker}: {quantity} lots of {symbol} at {mark}")
    Console().print(table)
