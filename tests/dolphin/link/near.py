"""Bytes that are a message, nearly one, or none at all: what is thrown at every reader.

Rules of this file: a message is drawn from its class, field by field, from the types that msgspec
itself reads (``msgspec.inspect``), so a class that is added is thrown as well. What is nearly a
message is one whose bytes were altered: a byte changed, cut, put in, a part said twice, a value
swapped for one of another type.

Not here: what a reader makes of it.
"""

import json
from typing import Any, get_args

import msgspec
from hypothesis import strategies as st

from dolphin.link import codec, messages
from dolphin.link.codec import INTEGER_MAX, Message, encode

KINDS: tuple[type[Message], ...] = tuple(
    sorted(
        (
            thing
            for thing in vars(messages).values()
            if isinstance(thing, type) and issubclass(thing, Message) and thing is not Message
        ),
        key=lambda kind: kind.__name__,
    )
)
EVENTS: tuple[type[Message], ...] = get_args(messages.Said)
_integers = st.one_of(
    st.integers(-3, 40), st.integers(-INTEGER_MAX - 1, INTEGER_MAX), st.just(INTEGER_MAX)
)
# Values of every other type, as they stand in JSON.
WRONG = (
    "true", "false", "null", "1.0", "1e3", "NaN", "Infinity", "-0", '"1"', '"\\ud800"', "[]", "{}",
    "9223372036854775808", "-9223372036854775809", "1" * 400, "[" * 200, '{"a":' * 200, "",
    '"' + "x" * 2000 + '"',
)  # fmt: skip


def _drawn(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for the values of a type, as msgspec describes it."""
    match type(kind).__name__:
        case "IntType":
            return _integers if kind.ge is None or kind.ge < 0 else st.integers(0, INTEGER_MAX)
        case "BoolType":
            return st.booleans()
        case "FloatType":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "StrType" if kind.pattern:
            return st.from_regex(kind.pattern.replace("$", r"\Z"))
        case "StrType":
            return st.text(max_size=min(kind.max_length or 20, 20)).filter(_spelled)
        case "NoneType":
            return st.none()
        case "TupleType":
            return st.tuples(*map(_drawn, kind.item_types))
        case "VarTupleType":
            most = 8 if kind.max_length is None else kind.max_length
            return st.lists(_drawn(kind.item_type), max_size=most).map(tuple)
        case "DictType":
            return st.dictionaries(_drawn(kind.key_type), _drawn(kind.value_type), max_size=4)
        case "UnionType":
            return st.one_of(*map(_drawn, kind.types))
        case "StructType":
            return drawn(kind.cls)
    raise AssertionError(f"a type that nothing is drawn for: {kind}")


def _spelled(text: str) -> bool:
    return not any(0xD800 <= ord(character) < 0xE000 for character in text)


def drawn(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Return a strategy for messages (or parts) of a class."""
    described = msgspec.inspect.type_info(kind)
    assert isinstance(described, msgspec.inspect.StructType)
    fields = {field.name: _drawn(field.type) for field in described.fields}
    return st.builds(kind, **fields)


def whole(kinds: tuple[type[Message], ...] = KINDS) -> st.SearchStrategy[Message]:
    """Return a strategy for messages of any of these classes."""
    return st.sampled_from(kinds).flatmap(drawn)


@st.composite
def nearly(draw: st.DrawFn, kinds: tuple[type[Message], ...] = KINDS) -> bytes:
    """Draw the bytes of a message, and alter them."""
    data = encode(draw(whole(kinds)))
    how = draw(st.integers(0, 5))
    at = draw(st.integers(0, len(data)))
    if how == 0:
        return data[:at] + draw(st.binary(min_size=1, max_size=3)) + data[at + 1 :]
    if how == 1:
        return data[:at]
    if how == 2:
        return data[:at] + draw(st.binary(min_size=1, max_size=8)) + data[at:]
    if how == 3:
        other = draw(st.integers(at, len(data)))
        return data + data[at:other]
    parts: dict[str, Any] = json.loads(data)
    name = draw(st.sampled_from(sorted(parts)))
    if how == 4:
        return data[:-1] + b"," + json.dumps({name: parts[name]})[1:].encode()
    texts = [f"{json.dumps(key)}:{json.dumps(value)}" for key, value in parts.items()]
    wrong = draw(st.sampled_from(WRONG))
    texts[list(parts).index(name)] = f"{json.dumps(name)}:{wrong}"
    return ("{" + ",".join(texts) + "}").encode()


def thrown(kinds: tuple[type[Message], ...] = KINDS) -> st.SearchStrategy[bytes]:
    """Return a strategy for all three: noise, nearly a message, a message."""
    noise = st.one_of(
        st.binary(max_size=300),
        st.sampled_from((b"{" * 60_000, b"[" * 60_000, b'{"z":' + b"[" * 60_000, b"\xff" * 100)),
        st.integers(1, 3).map(lambda more: b"x" * (codec.MESSAGE_BYTES_MAX + more)),
    )
    return st.one_of(noise, nearly(kinds), whole(kinds).map(encode))
