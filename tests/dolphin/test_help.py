"""Help answers a stranger: what it is for, what to do first; of a command what, on what, how."""

import re

import click
import pytest
from click.testing import CliRunner

from dolphin.cli import COMMANDS, main
from dolphin.commands.texts import GROUPS, TEXTS

EXIT_CODE = re.compile(r"^ {4,}([0-3])  \S", re.M)


def help_of(*words: str) -> str:
    """Return the help text that a user sees, on 80 columns."""
    result = CliRunner().invoke(main, [*words, "--help"], terminal_width=80)
    assert result.exit_code == 0, result.output
    return result.output


def lacking(text: str) -> list[str]:
    """Return what a command's help does not say: an example, its exit codes, what it does."""
    missing = []
    if not re.search(r"^  Examples?:\n( {4,}dolphin \S.*\n)+", text, re.M):
        missing.append("an example, on a line of its own")
    if "0" not in EXIT_CODE.findall(text) or "2" not in EXIT_CODE.findall(text):
        missing.append("its exit codes, 0 and 2 among them")
    if not re.search(r"\n\n  [A-Z][^\n]{15,}", text):
        missing.append("what it does, in a sentence")
    return missing


def test_help_tells_what_it_is_for_and_what_to_do_first() -> None:
    text = help_of()
    assert "on paper" in text
    assert re.search(r"^ +dolphin run ", text, re.M)
    assert "not run" in text
    for name, line in COMMANDS.items():
        assert re.search(rf"^  {name} +{line[:20]}", text, re.M), name


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_says_what_on_what_how_and_its_exit_codes(name: str) -> None:
    assert lacking(help_of(name)) == []


def unexplained(command: click.Command) -> list[str]:
    """Return the options whose help is absent or no sentence."""
    return [
        str(option.name)
        for option in command.params
        if isinstance(option, click.Option)
        and not option.hidden
        and not re.match(r"[A-Z`].{12,}[.\])]$", option.help or "")
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_says_what_it_does(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert unexplained(command) == []


def test_control_an_option_without_a_sentence_is_seen() -> None:
    options = [click.Option(["--a"]), click.Option(["--b"], help="Who.")]
    assert unexplained(click.Command("x", params=[*options])) == ["a", "b"]


def test_every_command_has_a_text_and_a_group() -> None:
    assert sorted(TEXTS) == sorted(COMMANDS)
    assert sum(len(group) for group in GROUPS.values()) == len(COMMANDS)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Usage: dolphin x\n\n  Do the thing to a file, and say so.\n", 2),
        ("Usage\n\n  Do the thing to a file.\n\n  Example:\n      dolphin x\n", 1),
        ("Usage\n\n  Do the thing to a file.\n\n  Exit codes:\n      0  done\n      2  bad\n", 1),
        ("Usage\n\n  Example:\n      dolphin x\n\n  Exit codes:\n      0  done\n      2  bad\n", 1),
    ],
)
def test_control_a_text_that_leaves_something_out_is_seen(text: str, missing: int) -> None:
    assert len(lacking(text)) == missing


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("swim",), "dolphin: No such command 'swim'."),
        (("run", "--profile", "x"), "dolphin run: Invalid value for '--profile'"),
        (("certify", "a", "b"), "dolphin certify: Got unexpected extra argument"),
        (("verify", "--only"), "dolphin: Option '--only' requires an argument."),
        (("bench", "--records", "5"), "dolphin bench: Invalid value for '--records'"),
        (("bench", "--records", "9" * 20), "dolphin bench: Invalid value for '--records'"),
        (("check", "--svg", "/dev/null"), "dolphin check: /dev/null: is no folder"),
    ],
)
def test_a_wrong_word_on_the_command_line_is_one_line(words: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_without_a_command_help_is_shown() -> None:
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 2
    assert "dolphin run" in result.output
