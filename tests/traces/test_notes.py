"""Notes: what no writer writes is malformed; an operator's says who and why."""

import pytest

from tests.traces.making import note_record
from traces.codec import Malformed
from traces.notes import note_data, operator_words

NOTES = [
    (b"{", "a note that is not JSON"),
    (b"[]", "a note without a kind"),
    (b'{"who":"ann"}', "a note without a kind"),
    (b'{"kind":1}', "a note without a kind"),
    (b'{"kind":"x","list":[]}', "a note holds texts and integers alone"),
    (b'{"kind":"x","on":true}', "a note holds texts and integers alone"),
    (b'{"kind": "x"}', "a note that is not canonical JSON"),
]


@pytest.mark.req("JNL-012", "JNL-023")
@pytest.mark.parametrize(("body", "expected"), NOTES)
def test_a_note_that_no_writer_writes_is_malformed(body: bytes, expected: str) -> None:
    with pytest.raises(Malformed) as caught:
        note_data(body)
    assert str(caught.value) == expected


@pytest.mark.req("JNL-023")
def test_an_operators_note_says_who_and_why() -> None:
    assert operator_words(note_record(kind="operator", who="ann", why="drill")[1]) == (
        "ann",
        "drill",
    )
    assert operator_words(note_record(kind="weather", who="ann", why="drill")[1]) is None
    for lacking in ({"who": "ann"}, {"why": "drill"}, {"who": "ann", "why": 3}):
        with pytest.raises(Malformed) as caught:
            operator_words(note_record(kind="operator", **lacking)[1])
        assert str(caught.value) == "an operator's note without who and why"
