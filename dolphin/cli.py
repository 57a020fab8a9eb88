"""``dolphin``: the command line.

Rules of this file:

*   A subcommand is a module of ``dolphin.commands`` with a click command named ``command``, loaded
    when it is asked for: ``dolphin kill`` does not wait for what ``dolphin run`` needs.
*   What help says is in ``dolphin/commands/texts.py``.
*   An output that cannot be written, because a disk is full or the reader has gone, is 2 whatever
    the command found: nobody may take the missing answer for one.
*   Exit codes of all: 0 what it claims holds, 1 it does not, 2 bad input, 3 something needed was
    not run (design 9).

Not here: any work.
"""

import errno
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import click

from dolphin.commands.texts import GROUPS, PROGRAM, TEXTS

BAD_INPUT = 2
NOT_RUN = 3
# Faults of an output that is open: nobody reads it, no room, a broken device.
UNWRITTEN = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO})
# A module of these that is not there is a fault of ours, and is shown as one.
OURS = frozenset({"certification", "dolphin", "kernel", "traces", "verify"})
COMMANDS = {name: line for group in GROUPS.values() for name, line in group.items()}


class _ReaderGone(Exception):
    """Whoever read standard output has gone."""


@contextmanager
def _before_click() -> Iterator[None]:
    """Take a broken pipe before click does: it would end with 1, which says "does not hold"."""
    try:
        yield
    except BrokenPipeError:
        raise _ReaderGone from None


class Lazy(click.Group):
    """A group whose subcommands are loaded when asked for."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run; a wrong word on the command line is one line and exit 2, like any other mistake."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, **extra)
        try:
            return self._main(args, prog_name, complete_var, **extra)
        except _ReaderGone:
            _output_lost("")
        except OSError as error:
            if error.filename is not None or error.errno not in UNWRITTEN:
                raise
            _output_lost(error.strerror)
        except SystemExit as error:
            # What rich makes of a reader that has gone: 1, which would say "does not hold".
            if isinstance(error.__context__, BrokenPipeError):
                _output_lost("")
            raise

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the command line; help is printed here."""
        with _before_click():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand."""
        with _before_click():
            return super().invoke(ctx)

    def _main(
        self,
        args: Sequence[str] | None,
        prog_name: str | None,
        complete_var: str | None,
        **extra: Any,
    ) -> NoReturn:
        try:
            code = super().main(args, prog_name, complete_var, False, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(BAD_INPUT)
        except click.UsageError as error:
            place = error.ctx.command_path if error.ctx else "dolphin"
            message = " ".join(error.format_message().split())
            click.echo(f"{place}: {message} (see {place} --help)", err=True)
            sys.exit(BAD_INPUT)
        except click.Abort:
            sys.exit(1)
        sys.exit(code if isinstance(code, int) else 0)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every subcommand, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a subcommand, None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        name = f"dolphin.commands.{cmd_name.replace('-', '_')}"
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            top = (error.name or "").partition(".")[0]
            if error.name != name and top in OURS:
                raise
            if error.name != name:
                # What an update of the source asks for and this environment has not.
                click.echo(
                    f"dolphin {cmd_name}: the Python package {top} is not installed here; "
                    "expected the ones in locks/ (make env)",
                    err=True,
                )
                sys.exit(NOT_RUN)
            return click.Command(
                cmd_name, help=COMMANDS[cmd_name], callback=lambda: _absent(cmd_name)
            )
        command: click.Command = module.command
        command.help = TEXTS[cmd_name]
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands without loading them."""
        for group, commands in GROUPS.items():
            with formatter.section(group):
                formatter.write_dl(list(commands.items()))


def _output_lost(why: str | None) -> NoReturn:
    """End where output cannot be written: with one line that says ``why``, or none where empty."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # Python would try again at its end, and end with a code of its own.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if why:
        with suppress(OSError):
            click.echo(f"dolphin: output cannot be written: {why}", err=True)
    sys.exit(BAD_INPUT)


def _absent(name: str) -> None:
    click.echo(f"dolphin {name}: not part of this version", err=True)
    raise SystemExit(3)


@click.command(name="dolphin", cls=Lazy, help=PROGRAM)
@click.version_option(package_name="dolphin-nautilus")
def main() -> None:
    """Run the command that was named."""


if __name__ == "__main__":
    main()
