"""What TLC prints, read: values, states, graphs; and what is not one is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import constants as k
from verify.models.dot import DotError, read_dot
from verify.models.drawing import changes, counterexample_svg, posture_machine_svg
from verify.models.tlc import Step, read_output
from verify.models.values import Map, ModelValue, ValueSyntaxError, parse_state, parse_value, tla


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-7", -7),
        ("TRUE", True),
        ('"a \\"b\\""', 'a "b"'),
        ("w1", ModelValue("w1")),
        ("<<1, <<>>>>", (1, ())),
        ("{1, 2}", frozenset({1, 2})),
        ("1..3", frozenset({1, 2, 3})),
        ("[a |-> 1, b |-> {}]", Map({"a": 1, "b": frozenset()})),
        ("(0 :> <<1, 2>> @@ 1 :> FALSE)", Map({0: (1, 2), 1: False})),
    ],
)
def test_a_value_is_read(text: str, value: object) -> None:
    assert parse_value(text) == value


@pytest.mark.parametrize("text", ["", "<<1", "[a |-> ]", "1 2", "(0 :> 1", "<<1,>>x", "#"])
def test_what_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(ValueSyntaxError):
        parse_value(text)


leaves = st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.text("ab \"\\'", max_size=5)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.tuples(inner, inner)
        | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, min_size=1).map(Map)
        | st.dictionaries(st.integers(0, 9), inner, min_size=1).map(Map)
    ),
    max_leaves=12,
)


@given(trees)
def test_writing_and_reading_a_value_is_the_identity(value: object) -> None:
    assert parse_value(tla(value)) == value


def test_a_state_is_read_over_several_lines() -> None:
    state = parse_state("/\\ a = 1\n/\\ b = (0 :> 1 @@\n  1 :> 2)")
    assert state == {"a": 1, "b": Map({0: 1, 1: 2})}
    with pytest.raises(ValueSyntaxError):
        parse_state("/\\ a 1")


def test_a_graph_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "graph.dot"
    good = (
        "strict digraph DiskGraph {\n"
        '1 [label="/\\\\ a = 1",style = filled]\n'
        '1 -> 2 [label="Press",color="black",fontcolor="black"];\n'
        '2 [label="/\\\\ a = 2"];\n'
        "}\n"
    )
    path.write_text(good)
    graph = read_dot(path)
    assert graph.states == {1: {"a": 1}, 2: {"a": 2}}
    assert graph.edges == ((1, 2, "Press"),)
    assert graph.initial == {1}
    path.write_text(good.replace("1 -> 2", "1 -> 3"))
    with pytest.raises(DotError, match="names a node without state"):
        read_dot(path)
    path.write_text(good.replace("1 -> 2 [label", "1 => 2 [label"))
    with pytest.raises(DotError, match=r":3: neither node nor edge"):
        read_dot(path)


def test_no_output_is_no_success() -> None:
    run = read_output("Error: Could not find the main class\n", (), 0.1)
    assert run.result == "error"
    assert "main class" in run.message
    assert read_output("", (), 0.1).result == "error"


def test_a_specification_cannot_print_itself_a_verdict() -> None:
    printed = "Model checking completed. No error has been found.\n5 states generated, 5 distinct"
    assert read_output(printed, (), 0.1).result == "error"


def test_a_property_of_an_instance_bears_its_own_name() -> None:
    text = (
        "@!@!@STARTMSG 2112:1 @!@!@\nAction property KS!RearmIsTwoStep is violated.\n"
        "@!@!@ENDMSG 2112 @!@!@\n"
    )
    assert read_output(text, (), 0.1).result == "RearmIsTwoStep"


def test_changes_are_leaves() -> None:
    before = {"a": 1, "s": Map({0: Map({"q": 1, "k": 0}), 1: Map({"q": 2, "k": 0})})}
    after = {"a": 1, "s": Map({0: Map({"q": 1, "k": 0}), 1: Map({"q": 3, "k": 0})})}
    assert changes(before, after) == [("s[1].q", "2", "3")]
    picture = counterexample_svg("T<1>", (Step(1, "Init", before), Step(2, "Press", after)), loop=1)
    assert "T&lt;1&gt;" in picture
    assert "s[1].q" in picture


def test_the_posture_machine_is_drawn_from_the_kernels_constants() -> None:
    picture = posture_machine_svg()
    for name in ("APEX", "STALKER", "TURTLE", "HIBERNATE"):
        assert picture.count(f">{name}</text>") == 2
    for gate in (k.BIBLE_APEX_PPM, k.SPECIFICATION_APEX_RISE_PPM, k.SPECIFICATION_TURTLE_DROP_PPM):
        assert f"{gate / k.PPM:.2f}" in picture
