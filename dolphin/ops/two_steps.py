"""A command in two steps: request, cooling time, confirm. For re-arm and peak reset alike.

Rules of this file: exactly one of ``--request`` and ``--confirm``; who and why with each. Exit 0
when the kernel took the step, 1 when it refused, with its reason, 2 without a session or without a
step.

Not here: the cooling time's meaning (``kernel/rearm.py``).
"""

import json
from collections.abc import Callable
from pathlib import Path

import click

from dolphin.ops.operator import NoSession, fail, hand_of, me

EXPLAINED = {
    "COOLING": "the cooling time is not over; confirm again in a moment",
    "REQUEST_EXPIRED": "the request is too old; request again",
    "NO_REQUEST": "nothing was requested; request first",
    "NOTHING_TO_REARM": "nothing is latched",
    "NOT_FLAT": "a position or a permit is still out",
    "JOURNAL_DOWN": "the journal cannot be written",
}


def two_steps(name: str, request_event: str, confirm_event: str, text: str) -> click.Command:
    """Return the click command ``dolphin NAME`` for a pair of events."""

    def act(
        request: bool, confirm: bool, reason: str, who: str, session: Path | None, as_json: bool
    ) -> None:
        if request == confirm:
            fail(name, "one of --request and --confirm is needed", 2)
        if request and not reason:
            fail(name, "--reason is needed with --request: why?", 2)
        hand = hand_of(name, session)
        event = request_event if request else confirm_event
        try:
            answer = hand.act(event, who, reason or "confirmed")
            status = hand.status()
        except NoSession as error:
            fail(name, str(error), 2)
        ok = answer.get("ok") is True
        refusal = str(answer.get("reason"))
        if as_json:
            click.echo(json.dumps({"ok": ok, "reason": answer.get("reason"), "status": status}))
        if not ok:
            fail(name, f"refused: {refusal}: {EXPLAINED.get(refusal, 'see docs/KERNEL.md')}", 1)
        if as_json:
            return
        if request:
            wait_s = hand.config.cooling_ms / 1000
            window_s = hand.config.confirm_window_ms / 1000
            click.echo(
                f"requested; confirm with: dolphin {name} --confirm, "
                f"not before {wait_s:g} s and not after {window_s:g} s from now"
            )
        else:
            click.echo(f"confirmed; killed: {'+'.join(status['causes']) or 'no'}")

    wrapped: Callable[..., None] = act
    for option in reversed(
        (
            click.option("--request", is_flag=True, help="First step."),
            click.option("--confirm", is_flag=True, help="Second step, after the cooling time."),
            click.option("--reason", default="", help="Why, in words; it is journalled."),
            click.option("--operator", "who", default=me, show_default="your user name"),
            click.option("--session", type=click.Path(path_type=Path), help="A run's folder."),
            click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
        )
    ):
        wrapped = option(wrapped)
    return click.command(name=name, help=text)(wrapped)
