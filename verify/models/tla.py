r"""A TLA+ module as tokens and expressions with their places in the text.

Theory. A mutant is a change of the text at an expression, so what is needed of a module is where
its expressions begin and end, and which belongs to which. Operators bind by the table of
"Specifying Systems" (15.2.1). A bulleted list of conjuncts or disjuncts is bound by its column:
an item ends at the first token that is not to the right of its bullet.

Rules of this file:

*   Every token of a module is read; what is not understood is a ``TlaError`` with line and column,
    never skipped. The grammar is the part of TLA+ that the modules of ``spec/tla`` use.
*   A node knows its text by two offsets. Nothing is printed back: an edit cuts the text.
*   Comments and strings are tokens or nothing, so no edit can fall into one.

Not here: what is changed (``edits.py``, ``mutation/spec_mutants.py``), and what judges it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

_SYMBOLS = (
    "|->", "<=>", "...", "==", "=>", "<=", ">=", "=<", "<-", "->", "/\\", "\\/", "/=", "[]", "<>",
    "~>", "<<", ">>", "..", "@@", ":>", "]_", "^", "'", "!", "@", "#", "~", "-", "+", "*", "%",
    "\\", "=", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|", "&",
)  # fmt: skip
_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<rule>-{4,}|={4,})"
    r"|(?P<number>\d+)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<word>\\[A-Za-z]+)"
    r"|(?P<symbol>" + "|".join(map(re.escape, _SYMBOLS)) + ")"
)
_KEYWORDS = {
    "EXTENDS", "CONSTANT", "CONSTANTS", "VARIABLE", "VARIABLES", "ASSUME", "RECURSIVE", "INSTANCE",
    "MODULE", "IF", "THEN", "ELSE", "CASE", "OTHER", "LET", "IN", "CHOOSE", "EXCEPT", "WITH",
    "UNCHANGED", "ENABLED", "DOMAIN", "SUBSET", "UNION", "LOCAL",
}  # fmt: skip

# Infix operators: how strongly each binds, and whether to the left.
_INFIX: dict[str, int] = {
    "=>": 1, "<=>": 2, "~>": 2, "\\/": 3, "/\\": 4,
    "=": 6, "#": 6, "/=": 6, "<": 6, ">": 6, "<=": 6, "=<": 6, ">=": 6,
    "\\in": 6, "\\notin": 6, "\\subseteq": 6,
    "@@": 7, ":>": 8, "\\cup": 9, "\\cap": 9, "\\": 9, "..": 10,
    "+": 11, "-": 11, "%": 12, "\\div": 12, "*": 13, "\\o": 13, "\\X": 13, "^": 14,
}  # fmt: skip
# Prefix operators: how strongly the operand binds.
_PREFIX = {
    "~": 5, "[]": 5, "<>": 5, "ENABLED": 5, "UNCHANGED": 5, "SUBSET": 9, "UNION": 9, "DOMAIN": 10,
    "-": 12,
}  # fmt: skip

_FAIR = re.compile(r"^[WS]F_")  # WF_vars(A) names vars
_INDEXED = ("name", "call", "prime", "field", "paren", "at", "index")


class TlaError(ValueError):
    """A text that this reader does not understand; module, line, column and what was met."""


@dataclass(frozen=True)
class Token:
    """One token: its kind, its text, its line and column (from 1), its offset."""

    kind: str
    text: str
    line: int
    column: int
    start: int

    @property
    def end(self) -> int:
        """The offset behind the last character."""
        return self.start + len(self.text)


@dataclass(frozen=True)
class Node:
    """One expression: what it is, its own tokens (operators, bullets), its parts.

    ``kind`` is "list", "infix", "prefix", "prime", "if", "case", "arm", "let", "definition",
    "quantifier", "bound", "tuple", "set", "function", "record", "field", "except", "box", "call",
    "paren", "name", "number" or "string". ``name`` is the operator, or the name that is called.
    """

    kind: str
    start: int
    end: int
    name: str = ""
    tokens: tuple[Token, ...] = ()
    parts: tuple["Node", ...] = ()

    def walk(self) -> Iterator["Node"]:
        """Yield the node and all below it, outer first."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True)
class Definition:
    """A definition of a module: ``name(parameters) == body``."""

    name: str
    parameters: tuple[str, ...]
    body: Node
    start: int
    line: int


@dataclass
class Module:
    """A module: its text, its declarations and definitions, what it extends and instances."""

    name: str
    text: str
    extends: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    instances: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column (from 1) of an offset."""
        line = self.text.count("\n", 0, offset) + 1
        return line, offset - (self.text.rfind("\n", 0, offset) + 1) + 1


def _comment_end(text: str, start: int) -> int:
    depth, place = 0, start
    while place < len(text):
        if text.startswith("(*", place):
            depth, place = depth + 1, place + 2
        elif text.startswith("*)", place):
            depth, place = depth - 1, place + 2
            if depth == 0:
                return place
        else:
            place += 1
    return len(text)


def tokens_of(text: str, name: str = "module") -> list[Token]:
    """Return the tokens of a text, comments left out. Raises ``TlaError``."""
    found: list[Token] = []
    place, line, line_start = 0, 1, 0
    while place < len(text):
        if text[place] == "\n":
            place, line = place + 1, line + 1
            line_start = place
        elif text[place].isspace():
            place += 1
        elif text.startswith("(*", place):
            end = _comment_end(text, place)
            line += text.count("\n", place, end)
            line_start = max(line_start, text.rfind("\n", 0, end) + 1)
            place = end
        elif text.startswith("\\*", place):
            end = text.find("\n", place)
            place = len(text) if end < 0 else end
        else:
            match = _TOKEN.match(text, place)
            column = place - line_start + 1
            if match is None:
                raise TlaError(f"{name}:{line}:{column}: no token begins with {text[place]!r}")
            kind = str(match.lastgroup)
            word = match.group()
            if kind == "name" and word in _KEYWORDS:
                kind = "keyword"
            found.append(Token(kind, word, line, column, place))
            place = match.end()
    return found


class _Reader:
    """Recursive descent over the tokens. ``limits`` are the columns of the open lists."""

    def __init__(self, name: str, text: str) -> None:
        self.module = Module(name, text)
        self.tokens = tokens_of(text, name)
        last = self.tokens[-1] if self.tokens else Token("name", "", 1, 1, 0)
        self.nothing = Token("end", "", last.line + 1, 0, len(text))
        self.at = 0
        self.limits: list[int] = [0]

    # --- tokens ---

    def raw(self, ahead: int = 0) -> Token:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else self.nothing

    def peek(self, ahead: int = 0) -> Token:
        token = self.raw(ahead)
        return token if token.column > self.limits[-1] else self.nothing

    def is_(self, text: str, ahead: int = 0) -> bool:
        token = self.peek(ahead)
        return token.text == text and token.kind != "string"

    def take(self, text: str = "", kind: str = "") -> Token:
        token = self.peek()
        if (text and token.text != text) or (kind and token.kind != kind) or token.kind == "end":
            met = self.raw()
            raise TlaError(
                f"{self.module.name}:{met.line}:{met.column}: "
                f"expected {text or kind or 'a token'!r}, met {met.text!r}"
            )
        self.at += 1
        return token

    def maybe(self, text: str) -> Token | None:
        return self.take() if self.is_(text) else None

    # --- units ---

    def read(self) -> Module:
        self.take(kind="rule")
        self.take("MODULE")
        named = self.take(kind="name")
        if named.text != self.module.name:
            raise TlaError(f"{self.module.name}: its text calls it {named.text}")
        self.take(kind="rule")
        while self.peek().kind != "end":
            self.unit()
        return self.module

    def unit(self) -> None:
        token = self.peek()
        if token.kind == "rule":
            self.take()
        elif token.text == "EXTENDS":
            self.take()
            self.module.extends += tuple(self.names())
        elif token.text in ("VARIABLE", "VARIABLES"):
            self.take()
            self.module.variables += tuple(self.names())
        elif token.text in ("CONSTANT", "CONSTANTS", "RECURSIVE"):
            self.take()
            self.operators()
        elif token.text == "ASSUME":
            self.take()
            if self.peek().kind == "name" and self.is_("==", 1):
                self.at += 2
            self.expression(0)
        else:
            self.definition()

    def names(self) -> list[str]:
        found = [self.take(kind="name").text]
        while self.maybe(","):
            found.append(self.take(kind="name").text)
        return found

    def operators(self) -> None:
        while True:
            self.take(kind="name")
            if self.maybe("("):
                self.names()
                self.take(")")
            if not self.maybe(","):
                return

    def definition(self) -> None:
        name = self.take(kind="name")
        parameters = self.parameters()
        self.take("==")
        if self.maybe("INSTANCE"):
            self.module.instances[name.text] = self.take(kind="name").text
            if self.maybe("WITH"):
                self.substitutions()
            return
        body = self.expression(0)
        if name.text in self.module.definitions:
            raise TlaError(f"{self.module.name}:{name.line}: {name.text} is defined twice")
        self.module.definitions[name.text] = Definition(
            name.text, parameters, body, name.start, name.line
        )

    def substitutions(self) -> None:
        """``WITH a <- e, b <- f``: read, and not kept."""
        while True:
            self.take(kind="name")
            self.take("<-")
            self.expression(0)
            if not self.maybe(","):
                return

    def parameters(self) -> tuple[str, ...]:
        found: tuple[str, ...] = ()
        if self.maybe("("):
            found = tuple(self.names())
            self.take(")")
        return found

    # --- expressions ---

    def expression(self, binds: int) -> Node:
        left = self.operand()
        while True:
            token = self.peek()
            strength = _INFIX.get(token.text, -1) if token.kind in ("symbol", "word") else -1
            if strength <= binds:
                return left
            self.take()
            # => is no one's left operand; the others group to the left.
            right = self.expression(strength)
            left = Node("infix", left.start, right.end, token.text, (token,), (left, right))

    def operand(self) -> Node:
        token = self.peek()
        if token.text in ("/\\", "\\/") and token.kind == "symbol":
            return self.bulleted(token)
        if token.text in _PREFIX and token.kind in ("symbol", "keyword"):
            self.take()
            if token.text == "[]" and self.is_("["):
                inner = self.box()
            else:
                inner = self.expression(_PREFIX[token.text] - 1)
            return Node("prefix", token.start, inner.end, token.text, (token,), (inner,))
        return self.postfix(self.primary())

    def bulleted(self, first: Token) -> Node:
        bullets: list[Token] = []
        items: list[Node] = []
        while self.is_(first.text) and self.peek().column == first.column:
            bullets.append(self.take())
            self.limits.append(first.column)
            items.append(self.expression(0))
            self.limits.pop()
        return Node("list", first.start, items[-1].end, first.text, tuple(bullets), tuple(items))

    def postfix(self, node: Node) -> Node:
        while True:
            if self.is_("'"):
                token = self.take()
                node = Node("prime", node.start, token.end, "'", (token,), (node,))
            elif self.is_("[") and node.kind in _INDEXED:
                self.take()
                arguments = self.expressions("]")
                end = self.take("]").end
                node = Node("index", node.start, end, "", (), (node, *arguments))
            elif self.is_(".") and self.peek(1).kind == "name":
                self.take()
                name = self.take(kind="name")
                node = Node("field", node.start, name.end, name.text, (name,), (node,))
            else:
                return node

    def expressions(self, close: str) -> list[Node]:
        found: list[Node] = []
        if self.is_(close):
            return found
        found.append(self.expression(0))
        while self.maybe(","):
            found.append(self.expression(0))
        return found

    def primary(self) -> Node:
        token = self.peek()
        if token.kind == "number":
            self.take()
            return Node("number", token.start, token.end, token.text, (token,))
        if token.kind == "string":
            self.take()
            return Node("string", token.start, token.end, token.text, (token,))
        if token.kind == "name":
            return self.called()
        special = {
            "(": self.parenthesised, "<<": self.tuple_, "{": self.set_, "[": self.bracketed,
            "IF": self.if_, "CASE": self.case, "LET": self.let, "\\A": self.quantifier,
            "\\E": self.quantifier, "CHOOSE": self.quantifier, "@": self.at_sign,
        }.get(token.text)  # fmt: skip
        if special is None:
            met = self.raw()
            raise TlaError(
                f"{self.module.name}:{met.line}:{met.column}: expected an expression, "
                f"met {met.text!r}"
            )
        return special()

    def at_sign(self) -> Node:
        token = self.take("@")
        return Node("at", token.start, token.end, "@", (token,))

    def called(self) -> Node:
        """A name, ``Instance!Name``, or either with arguments."""
        first = self.take(kind="name")
        names = [first]
        while self.is_("!"):
            self.take()
            names.append(self.take(kind="name"))
        name = "!".join(each.text for each in names)
        if self.is_("("):
            self.take()
            arguments = self.expressions(")")
            end = self.take(")").end
            return Node("call", first.start, end, name, tuple(names), tuple(arguments))
        return Node("name", first.start, names[-1].end, name, tuple(names))

    def parenthesised(self) -> Node:
        begin = self.take("(")
        inner = self.expression(0)
        return Node("paren", begin.start, self.take(")").end, "", (begin,), (inner,))

    def tuple_(self) -> Node:
        begin = self.take("<<")
        parts = self.expressions(">>")
        end = self.take(">>").end
        if self.peek().kind == "name" and self.peek().text.startswith("_"):
            name = self.take()  # <<A>>_vars
            parts.append(Node("name", name.start, name.end, name.text[1:], (name,)))
            return Node("box", begin.start, name.end, "", (begin,), tuple(parts))
        return Node("tuple", begin.start, end, "", (begin,), tuple(parts))

    def set_(self) -> Node:
        """``{a, b}``, ``{x \\in S : p}`` or ``{e : x \\in S, ...}``."""
        begin = self.take("{")
        parts = self.expressions("}")
        if self.maybe(":"):
            behind = [self.expression(0)]
            while self.maybe(","):
                behind.append(self.expression(0))
            if len(parts) == 1 and _binds(parts[0]):
                parts = [parts[0].parts[1], *behind]
            else:
                parts += [each.parts[1] for each in behind]
        return Node("set", begin.start, self.take("}").end, "", (begin,), tuple(parts))

    def box(self) -> Node:
        """``[A]_v`` behind ``[]``."""
        begin = self.take("[")
        inner = self.expression(0)
        return self.boxed(begin, inner)

    def boxed(self, begin: Token, inner: Node) -> Node:
        close = self.take("]_")
        if self.is_("<<"):
            subscript = self.tuple_()
        elif self.is_("("):
            subscript = self.parenthesised()
        else:
            name = self.take(kind="name")
            subscript = Node("name", name.start, name.end, name.text.removeprefix("_"), (name,))
        return Node("box", begin.start, subscript.end, "", (begin, close), (inner, subscript))

    def bracketed(self) -> Node:
        """``[x \\in S |-> e]``, ``[S -> T]``, ``[a |-> e]``, ``[a : S]``, EXCEPT, ``[A]_v``."""
        begin = self.take("[")
        if self.peek().kind == "name" and (self.is_("|->", 1) or self.is_(":", 1)):
            return self.record(begin)
        first = self.expression(0)
        if self.is_("]_"):
            return self.boxed(begin, first)
        if self.maybe("EXCEPT"):
            parts = [first]
            while True:
                self.take("!")
                while self.is_("[") or self.is_("."):
                    if self.maybe("["):
                        parts += self.expressions("]")
                        self.take("]")
                    else:
                        self.take(".")
                        self.take(kind="name")
                self.take("=")
                parts.append(self.expression(0))
                if not self.maybe(","):
                    break
            return Node("except", begin.start, self.take("]").end, "", (begin,), tuple(parts))
        parts = [first]
        while self.maybe(","):
            parts.append(self.expression(0))
        if self.maybe("|->"):
            parts = [*(each.parts[1] for each in parts), self.expression(0)]
        elif self.maybe("->"):
            parts.append(self.expression(0))
        return Node("function", begin.start, self.take("]").end, "", (begin,), tuple(parts))

    def record(self, begin: Token) -> Node:
        parts = []
        while True:
            self.take(kind="name")
            if not self.maybe("|->"):
                self.take(":")
            parts.append(self.expression(0))
            if not self.maybe(","):
                break
        return Node("record", begin.start, self.take("]").end, "", (begin,), tuple(parts))

    def if_(self) -> Node:
        begin = self.take("IF")
        condition = self.expression(0)
        self.take("THEN")
        then = self.expression(0)
        self.take("ELSE")
        other = self.expression(0)
        return Node("if", begin.start, other.end, "", (begin,), (condition, then, other))

    def case(self) -> Node:
        begin = self.take("CASE")
        arms: list[Node] = []
        while True:
            guard = None if self.maybe("OTHER") else self.expression(0)
            self.take("->")
            value = self.expression(0)
            start = value.start if guard is None else guard.start
            parts = (value,) if guard is None else (guard, value)
            arms.append(Node("arm", start, value.end, "", (), parts))
            if not self.maybe("[]"):
                break
        return Node("case", begin.start, arms[-1].end, "", (begin,), tuple(arms))

    def let(self) -> Node:
        begin = self.take("LET")
        parts: list[Node] = []
        while not self.is_("IN"):
            name = self.take(kind="name")
            self.parameters()
            self.take("==")
            value = self.expression(0)
            parts.append(Node("definition", name.start, value.end, name.text, (name,), (value,)))
        self.take("IN")
        body = self.expression(0)
        return Node("let", begin.start, body.end, "", (begin,), (*parts, body))

    def quantifier(self) -> Node:
        """``\\A x, y \\in S, z \\in T : p``, ``\\E …`` and ``CHOOSE x \\in S : p``."""
        begin = self.take()
        bounds: list[Node] = []
        while True:
            self.take(kind="name")
            if self.maybe(","):
                continue
            self.take("\\in")
            bounds.append(self.expression(0))
            if not self.maybe(","):
                break
        self.take(":")
        body = self.expression(0)
        return Node("quantifier", begin.start, body.end, begin.text, (begin,), (*bounds, body))


def _binds(node: Node) -> bool:
    """Whether ``x \\in S`` binds x: its left side is a name, or a tuple of names."""
    return node.kind == "infix" and node.name == "\\in" and node.parts[0].kind in ("name", "tuple")


@lru_cache(maxsize=256)
def read_module(name: str, text: str) -> Module:
    """Return the module that ``text`` is; it is shared, so nobody changes it.

    Raises ``TlaError`` on what the reader does not understand.
    """
    return _Reader(name, text).read()


@lru_cache(maxsize=256)
def built_on(text: str, name: str = "module") -> tuple[str, ...]:
    """Return the modules that a text EXTENDS or takes an INSTANCE of, from its tokens alone.

    So it is also known of modules outside this reader's grammar, which TLC reads.
    """
    tokens = tokens_of(text, name)
    found: list[str] = []
    for at, token in enumerate(tokens):
        if token.kind != "keyword" or token.text not in ("EXTENDS", "INSTANCE"):
            continue
        at += 1
        while at < len(tokens) and tokens[at].kind == "name":
            found.append(tokens[at].text)
            if token.text == "INSTANCE" or at + 1 >= len(tokens) or tokens[at + 1].text != ",":
                break
            at += 2
    return tuple(dict.fromkeys(found))


def closure_of(folder: Path, module: str) -> tuple[str, ...]:
    """Return a module and all it builds on inside ``folder``, sorted; none if it is not there."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = folder / f"{name}.tla"
        if name not in found and path.is_file():
            found.add(name)
            waiting += built_on(path.read_text(encoding="utf-8"), name)
    return tuple(sorted(found))


def read_modules(folder: Path, names: Sequence[str]) -> dict[str, Module]:
    """Return the named modules and all they extend or instance inside the folder."""
    found: dict[str, Module] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        path = folder / f"{name}.tla"
        if name in found or not path.is_file():
            continue
        module = found[name] = read_module(name, path.read_text(encoding="utf-8"))
        waiting += [*module.extends, *module.instances.values()]
    return found


def resolve(modules: Mapping[str, Module], module: str, name: str) -> tuple[str, str] | None:
    """Return the module and name that ``name`` means in ``module``; None if it is no definition."""
    alias, bang, rest = name.partition("!")
    if module not in modules:
        return None
    if bang:
        for each in _extended(modules, module):
            if alias in modules[each].instances:
                return resolve(modules, modules[each].instances[alias], rest)
        return None
    for each in _extended(modules, module):
        if name in modules[each].definitions:
            return each, name
    return None


def _extended(modules: Mapping[str, Module], module: str) -> list[str]:
    found, waiting = [], [module]
    while waiting:
        name = waiting.pop(0)
        if name in modules and name not in found:
            found.append(name)
            waiting += modules[name].extends
    return found


def names_in(definition: Definition) -> set[str]:
    """Return the names that a definition's body uses, its parameters left out."""
    used = set()
    for node in definition.body.walk():
        if node.kind in ("name", "call"):
            used.add(_FAIR.sub("", node.name))
    return used - set(definition.parameters)


def definition_text(module: Module, name: str) -> str:
    """Return a definition's own text, from its name to the end of its body."""
    definition = module.definitions[name]
    return module.text[definition.start : definition.body.end]
