"""A command in two steps: request, cooling time, confirm. For re-arm and peak reset alike.

Rules of this file: exactly one of ``--request`` and ``--confirm``; who and why with each. Exit 0
when the kernel took the step, 1 when it refused, with its reason, or did not answer, 2 without a
session or without a step, or where it is not clear which session is meant. The answer names it.

Not here: the cooling time's meaning (``kernel/rearm.py``).
"""

import json
from collections.abc import Callable

import click
from msgspec import to_builtins

from dolphin.link.messages import Spoken
from dolphin.ops.operator import SESSION_HELP, NoAnswer, client_of, fail, me, words

EXPLAINED = {
    "COOLING": "the cooling time is not over; confirm again in a moment",
    "REQUEST_EXPIRED": "the request is too old; request again",
    "NO_REQUEST": "nothing was requested; request first",
    "NOTHING_TO_REARM": "nothing is latched",
    "NOT_FLAT": "a position or a permit is still out",
    "JOURNAL_DOWN": "the journal cannot be written",
}


def two_steps(
    name: str, requested: Callable[..., Spoken], confirmed: Callable[..., Spoken], text: str
) -> click.Command:
    """Return the click command ``dolphin NAME`` for a pair of messages."""

    def act(
        request: bool, confirm: bool, reason: str, who: str, session: str | None, as_json: bool
    ) -> None:
        if request == confirm:
            fail(name, "one of --request and --confirm is needed", 2)
        if request and not reason:
            fail(name, "--reason is needed with --request: why?", 2)
        client = client_of(name, session)
        try:
            refusal = client.act(requested if request else confirmed, who, reason or "confirmed")
            status = client.status()
        except NoAnswer as error:
            fail(name, str(error), 1)
        session_name = words(client.name)
        if as_json:
            document = {
                "session": client.name,
                "folder": client.config.folder,
                "ok": not refusal,
                "reason": refusal or None,
                "status": to_builtins(status),
            }
            click.echo(json.dumps(document))
        if refusal:
            why = EXPLAINED.get(refusal, "see docs/KERNEL.md")
            fail(name, f"{session_name}: refused: {refusal}: {why}", 1)
        if as_json:
            return
        if request:
            wait_s = client.config.cooling_ms / 1000
            window_s = client.config.confirm_window_ms / 1000
            click.echo(
                f"{session_name}: requested; confirm with: "
                f"dolphin {name} --confirm --session {session_name}, "
                f"not before {wait_s:g} s and not after {window_s:g} s from now"
            )
        else:
            click.echo(f"{session_name}: confirmed; killed: {'+'.join(status.causes) or 'no'}")

    wrapped: Callable[..., None] = act
    for option in reversed(
        (
            click.option("--request", is_flag=True, help="Take the first step: ask for it."),
            click.option(
                "--confirm", is_flag=True, help="Take the second step, after the cooling time."
            ),
            click.option("--reason", default="", help="Why, in words; written to the journal."),
            click.option(
                "--operator",
                "who",
                default=me,
                show_default="your user name",
                help="Who gives the command.",
            ),
            click.option("--session", metavar="NAME", help=SESSION_HELP),
            click.option(
                "--json",
                "as_json",
                is_flag=True,
                help="Print one JSON document on standard output.",
            ),
        )
    ):
        wrapped = option(wrapped)
    return click.command(name=name, help=text)(wrapped)
