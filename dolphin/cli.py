"""``dolphin``: the command line.

Rules of this file:

*   A subcommand is a module of ``dolphin.commands`` with a click command named ``command``, loaded
    when it is asked for: ``dolphin kill`` does not wait for what ``dolphin run`` needs.
*   What help says is in ``dolphin/commands/texts.py``.
*   Exit codes of all: 0 what it claims holds, 1 it does not, 2 bad input, 3 something needed was
    not run (design 9).

Not here: any work.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click

from dolphin.commands.texts import GROUPS, PROGRAM, TEXTS

BAD_INPUT = 2
NOT_RUN = 3
# A module of these that is not there is a fault of ours, and is shown as one.
OURS = frozenset({"certification", "dolphin", "kernel", "traces", "verify"})
COMMANDS = {name: line for group in GROUPS.values() for name, line in group.items()}


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


def _absent(name: str) -> None:
    click.echo(f"dolphin {name}: not part of this version", err=True)
    raise SystemExit(3)


@click.command(name="dolphin", cls=Lazy, help=PROGRAM)
@click.version_option(package_name="dolphin-nautilus")
def main() -> None:
    """Run the command that was named."""


if __name__ == "__main__":
    main()
