"""TLA+ values as TLC prints them, read into Python and written back.

Rules of this file:

*   Integers are ``int``, ``TRUE``/``FALSE`` are ``bool``, strings are ``str``, model values are
    ``ModelValue``. A sequence is a ``tuple``, a set a ``frozenset``, a record or a function a
    ``Map``: hashable and ordered by key, so that two prints of one value are one Python value.
*   TLC writes a function over 1..n as a sequence, any other as ``(a :> x @@ b :> y)``. Both are
    kept as they are printed; who reads a state knows which it asked for.
*   A text that is not wholly a value is an error with its place, never a partial reading.

Not here: what the values mean (``encoding.py``), DOT (``dot.py``).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache


class ValueSyntaxError(ValueError):
    """A text that is not a TLA+ value."""


@dataclass(frozen=True, slots=True)
class ModelValue:
    """A bare identifier: a model value of the configuration."""

    name: str


class Map(Mapping[object, object]):
    """A record or function, hashable; keys in the order TLC printed them."""

    __slots__ = ("_hash", "_items")

    def __init__(self, items: dict[object, object]) -> None:
        self._items = items
        self._hash: int | None = None

    def __getitem__(self, key: object) -> object:
        return self._items[key]

    def __iter__(self) -> Iterator[object]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._items.items()))
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Map) and self._items == other._items

    def __repr__(self) -> str:
        return f"Map({self._items!r})"


_TOKEN = re.compile(
    r"""\s*(?:(?P<int>-?\d+)|(?P<str>"(?:[^"\\]|\\.)*")|(?P<name>[A-Za-z_]\w*)
        |(?P<op><<|>>|\|->|:>|@@|\.\.|[\[\](){},]))""",
    re.VERBOSE,
)


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            seen = text[place : place + 30]
            raise ValueSyntaxError(f"no TLA+ value at column {place + 1}: {seen!r}")
        kind = match.lastgroup or ""
        found.append((kind, match.group(kind)))
        place = match.end()
    return found


class _Reader:
    """A cursor over tokens; recursive descent, one method per bracket."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, wanted: str) -> None:
        if self.peek() != wanted:
            found = self.peek()
            raise ValueSyntaxError(f"expected {wanted!r}, found {found!r} in {self.text[:80]!r}")
        self.at += 1

    def value(self) -> object:
        if self.at >= len(self.tokens):
            raise ValueSyntaxError(f"the value ends early: {self.text[:80]!r}")
        kind, token = self.tokens[self.at]
        self.at += 1
        if kind == "int":
            low = int(token)
            if self.peek() == "..":
                self.at += 1
                high = self.value()
                if not isinstance(high, int):
                    raise ValueSyntaxError(f"an interval ends with an integer: {self.text[:80]!r}")
                return frozenset(range(low, high + 1))
            return low
        if kind == "str":
            return token[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        if kind == "name":
            return {"TRUE": True, "FALSE": False}.get(token, ModelValue(token))
        if token == "<<":
            return tuple(self._list(">>"))
        if token == "{":
            return frozenset(self._list("}"))
        if token == "[":
            return self._record()
        if token == "(":
            return self._function()
        raise ValueSyntaxError(f"a value cannot begin with {token!r}: {self.text[:80]!r}")

    def _list(self, close: str) -> list[object]:
        items: list[object] = []
        while self.peek() != close:
            items.append(self.value())
            if self.peek() != close:
                self.take(",")
        self.take(close)
        return items

    def _record(self) -> Map:
        items: dict[object, object] = {}
        while self.peek() != "]":
            key = self.peek()
            self.at += 1
            self.take("|->")
            items[key] = self.value()
            if self.peek() != "]":
                self.take(",")
        self.take("]")
        return Map(items)

    def _function(self) -> object:
        first = self.value()
        if self.peek() == ")":
            self.take(")")
            return first
        self.take(":>")
        items: dict[object, object] = {first: self.value()}
        while self.peek() == "@@":
            self.take("@@")
            key = self.value()
            self.take(":>")
            items[key] = self.value()
        self.take(")")
        return Map(items)


@lru_cache(maxsize=65536)
def parse_value(text: str) -> object:
    """Return the value that ``text`` prints. Raises ``ValueSyntaxError``."""
    reader = _Reader(text)
    value = reader.value()
    if reader.at != len(reader.tokens):
        raise ValueSyntaxError(f"text after the value: {reader.peek()!r} in {text[:80]!r}")
    return value


def parse_state(text: str) -> dict[str, object]:
    r"""Return the variables of a printed state: conjuncts ``/\ name = value``."""
    state: dict[str, object] = {}
    whole = text.strip() if text.startswith("/\\") else "/\\ " + text
    for part in re.split(r"(?m)^\s*/\\ ", whole):
        if not part.strip():
            continue
        name, equals, value = part.partition(" = ")
        if not equals:
            raise ValueSyntaxError(f"expected 'variable = value', found {part[:60]!r}")
        state[name.strip()] = parse_value(" ".join(value.split()))
    return state


def tla(value: object) -> str:
    """Return the TLA+ text of a Python value made of the types above, lists and dicts."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, ModelValue):
        return value.name
    if isinstance(value, tuple | list):
        return "<<" + ", ".join(map(tla, value)) + ">>"
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(map(tla, value))) + "}"
    if isinstance(value, Mapping):
        if value and all(isinstance(key, str) and key.isidentifier() for key in value):
            return "[" + ", ".join(f"{key} |-> {tla(item)}" for key, item in value.items()) + "]"
        return "(" + " @@ ".join(f"{tla(key)} :> {tla(item)}" for key, item in value.items()) + ")"
    raise TypeError(f"no TLA+ text for {type(value).__name__}")
