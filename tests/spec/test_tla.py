"""The reader of TLA+: every module of the models is read whole, and places are the text's own."""

from pathlib import Path

import pytest

from verify.models.tla import TlaError, read_module, tokens_of

SPEC = Path(__file__).resolve().parents[2] / "spec" / "tla"


def module(body: str) -> str:
    return f"---- MODULE M ----\nEXTENDS Fixed\n\n{body}\n====\n"


def body_of(text: str, name: str = "A"):  # type: ignore[no-untyped-def]  # a Node
    return read_module("M", module(text)).definitions[name].body


@pytest.mark.parametrize("path", sorted(SPEC.glob("*.tla")), ids=lambda path: path.stem)
def test_every_module_is_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = read_module(path.stem, text)
    for definition in found.definitions.values():
        assert text.startswith(definition.name, definition.start)
        assert found.place(definition.start)[0] == definition.line
        for node in definition.body.walk():
            assert definition.body.start <= node.start < node.end <= definition.body.end
            for token in node.tokens:
                assert text.startswith(token.text, token.start)


def test_a_bulleted_list_ends_at_its_column() -> None:
    body = body_of("A ==\n    /\\ x\n    /\\ \\/ y\n       \\/ z\n    /\\ w => v\n\nB == 1")
    assert (body.kind, body.name, len(body.parts)) == ("list", "/\\", 3)
    assert (body.parts[1].name, len(body.parts[1].parts)) == ("\\/", 2)
    assert body.parts[2].name == "=>"


def test_an_if_takes_its_branches_and_an_infix_binds_by_the_table() -> None:
    body = body_of("A == IF a + 1 * 2 < b /\\ c THEN d ELSE e = f")
    condition, _, other = body.parts
    assert (condition.name, condition.parts[0].name, other.name) == ("/\\", "<", "=")
    assert condition.parts[0].parts[0].name == "+"
    assert condition.parts[0].parts[0].parts[1].name == "*"


def test_comments_and_strings_are_not_expressions() -> None:
    text = 'A == (* 1 < 2 (* 3 *) 4 *) "5 < 6" \\* 7\nB == 8'
    assert [token.text for token in tokens_of(text) if token.kind in ("number", "string")] == [
        '"5 < 6"', "8",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("A == IF a THEN b", "M:5:1: expected 'ELSE'"),
        ("A == a /\\", "M:5:1: expected an expression"),
        ("A == $", "M:4:6: no token begins with '$'"),
        ("A == 1\nA == 2", "M:5: A is defined twice"),
    ],
)
def test_control_what_is_not_understood_is_an_error(text: str, where: str) -> None:
    with pytest.raises(TlaError) as caught:
        read_module("M", module(text))
    assert str(caught.value).startswith(where)
