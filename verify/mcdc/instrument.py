"""Instruments a syntax tree, and lists the obligations to cover.

Rules of this file:

*   A statement gets a probe before it: one `set.add` of one integer. So does each way out of a
    `for` and a `match`. Every other branch is the outcome of a decision.
*   Every Boolean expression is a decision (CAST-10): `and`, `or`, `not`, a comparison, a call known
    to return a bool, wherever it stands; what `if`, `while`, `assert`, a ternary, a comprehension's
    `if` or a `case` guard asks; what a function `-> bool` returns. Nested operators are one
    decision; a chained comparison is several conditions. A literal alone is no condition.
*   The truth of a condition is asked once by its decision, by Python itself, in the frame of the
    user's code, and `and` / `or` give back the operand they gave before. Where there is only one
    way to a condition, its result alone tells the whole vector and one `set.add` records it.
    Else the vector is gathered in a cell that belongs to the scope's activation: a local variable
    of the function or lambda, or a list where no variable may be assigned (a comprehension has
    one of its own, a class borrows). So recursion, threads and generators do not mix.
*   No name enters a module or a class. Probes are found among the builtins, under names that no
    source can spell. Lines and columns stay. Annotations and patterns are left alone.

Not here: running the result (`runtime.py`), judging it (`decisions.py`, `report.py`).
"""

import ast
import copy
import hashlib
from dataclasses import dataclass, field
from typing import cast

from .decisions import Decision, Tree

ADD, PUT, VALUE, LISTS = "@mcdc_add", "@mcdc_put", "@mcdc_value", "@mcdc_lists"
CELLS = "@mcdc_cells"
LEFT_ALONE = {"annotation", "returns", "type_params", "pattern"}
BOOLEAN_CALLS = {"all", "any", "bool", "callable", "hasattr", "isinstance", "issubclass"}
NOT_BOOLEAN = (ast.JoinedStr, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Lambda)
IDENTITY = (ast.Is, ast.IsNot, ast.In, ast.NotIn)  # comparisons that always give a bool
BLOCKS = {"body", "orelse", "handlers", "finalbody", "cases"}
BRANCHING = {"if", "while", "assert", "ternary", "comprehension", "guard"}


@dataclass(frozen=True)
class Site:
    """A statement (`way` is empty) or one way out of a `for` or a `match`."""

    code: int
    line: int
    scope: str
    text: str
    way: str
    digest: str


@dataclass
class Inventory:
    """What a module has to cover. Codes run from `first` to below `end`."""

    first: int
    end: int
    sites: list[Site] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)


@dataclass
class Scope:
    """A function, lambda, comprehension, class or module, and how many cells it needs."""

    name: str
    outer: "Scope | None" = None
    is_class: bool = False
    function: bool = False
    cells: int = 0
    locals: int = 0
    bound_names: bool = False  # inside an expression in which Python forbids `:=`
    boolean: bool = False
    digest: str = ""
    borrows: bool = False


class Plain(ast.NodeTransformer):
    """Take the docstrings away: they excuse nothing and change nothing."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Visit the children, then drop a docstring."""
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list) and is_docstring(body[:1]):
            node.body = body[1:] or [ast.Pass()]  # type: ignore[attr-defined]  # it has a body
        return node


def digest(node: ast.AST, decorated: bool = True) -> str:
    """Return the hash of code without its layout, comments, parentheses and docstrings.

    Without its decorators too, if not `decorated`.
    """
    bare = Plain().visit(copy.deepcopy(node))
    if not decorated:
        bare.decorator_list = []
    text = ast.unparse(bare)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def is_docstring(body: list[ast.stmt]) -> bool:
    """Return whether a body begins with a bare text."""
    if not body or not isinstance(body[0], ast.Expr):
        return False
    value = body[0].value
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def headline(node: ast.stmt) -> str:
    """Return the first line of a statement as Python itself would write it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return f"{'class' if isinstance(node, ast.ClassDef) else 'def'} {node.name}"
    # Only the head is written: each of a thousand `elif` would else write all that follow it.
    head = copy.copy(node)
    for name in BLOCKS.intersection(node._fields):
        setattr(head, name, [ast.Pass()] if name == "body" else [])
    return ast.unparse(head).splitlines()[0]


def ways(tree: Tree) -> tuple[int, int]:
    """Return how many vectors make the tree true, and how many false."""
    if isinstance(tree, int):
        return 1, 1
    operator, operands = tree
    if operator == "not":
        true, false = ways(operands[0])
        return false, true
    through, left = 1, 0
    for operand in operands:
        true, false = ways(operand)
        onward, ended = (true, false) if operator == "and" else (false, true)
        left, through = left + through * ended, through * onward
    return (through, left) if operator == "and" else (left, through)


def one_way(tree: Tree) -> bool:
    """Return whether each condition can be reached with one vector of the earlier ones only."""
    if isinstance(tree, int):
        return True
    operator, operands = tree
    onward = 0 if operator == "and" else 1
    return all(one_way(operand) for operand in operands) and (
        operator == "not" or all(ways(operand)[onward] == 1 for operand in operands[:-1])
    )


def trail(tree: Tree, value: bool) -> int:
    """Return the vector that makes the tree `value`, where there is only one."""
    if isinstance(tree, int):
        return int(3**tree) * (2 if value else 1)
    operator, operands = tree
    return sum(trail(operand, value != (operator == "not")) for operand in operands)


def call(name: str, *arguments: ast.expr) -> ast.Call:
    """Return a call of one of the probes."""
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


class Instrument(ast.NodeTransformer):
    """Instrument one module. `number` is the module's place in the run's list of cells."""

    def __init__(self, first: int, number: int, contracts: frozenset[str] = frozenset()) -> None:
        self.inventory = Inventory(first, first)
        self.number = number
        self.contracts = contracts
        self.scope = Scope("<module>")
        self.in_contract = False
        self.statement_digest = ""

    def module(self, tree: ast.Module) -> ast.Module:
        """Return the instrumented module."""
        tree.body = self.block(tree.body, documented=True)
        return ast.fix_missing_locations(tree)

    # --- what there is to cover -------------------------------------------------------------------

    def take(self, count: int) -> int:
        """Return the first of `count` new codes."""
        code = self.inventory.end
        self.inventory.end += count
        return code

    def where(self) -> tuple[str, str]:
        """Return the scope's name and the hash that an excuse for code in it is bound to."""
        return self.scope.name, self.scope.digest or self.statement_digest

    def probe(self, ref: ast.stmt, text: str, way: str = "") -> ast.stmt:
        """Return a probe for a statement, or for one way out of it."""
        code = self.take(1)
        scope, bound = self.where()
        self.inventory.sites.append(Site(code, ref.lineno, scope, text, way, bound))
        return ast.copy_location(ast.Expr(call(ADD, ast.Constant(code))), ref)

    def block(self, body: list[ast.stmt], documented: bool = False) -> list[ast.stmt]:
        """Instrument a list of statements; a docstring and `__future__` stay first."""
        done: list[ast.stmt] = []
        for index, node in enumerate(body):
            future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
            text = documented and index == 0 and is_docstring(body)
            if text or future or isinstance(node, ast.Global | ast.Nonlocal):
                done.append(node)
                continue
            kept = self.statement_digest
            if not self.scope.digest:
                self.statement_digest = digest(node)
            done += [self.probe(node, headline(node)), cast(ast.stmt, self.visit(node))]
            self.statement_digest = kept
        return done

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Visit the children in order, lists of statements as blocks."""
        for name, old in ast.iter_fields(node):
            if name in LEFT_ALONE:
                continue
            if isinstance(old, list) and old and isinstance(old[0], ast.stmt):
                setattr(node, name, self.block(old))
            elif isinstance(old, list):
                setattr(node, name, [self.visit(x) if isinstance(x, ast.AST) else x for x in old])
            elif isinstance(old, ast.AST):
                setattr(node, name, self.visit(old))
        return node

    # --- scopes -----------------------------------------------------------------------------------

    def enter(self, name: str, **more: bool | str) -> Scope:
        """Open a scope inside the present one; its hash is that of the nearest `def`."""
        path = name if self.scope.name == "<module>" else f"{self.scope.name}.{name}"
        bound = str(more.get("digest") or self.scope.digest)
        outer = self.scope
        self.scope = Scope(path, outer, digest=bound, boolean=bool(more.get("boolean")))
        self.scope.bound_names = outer.bound_names
        self.scope.is_class = bool(more.get("is_class"))
        self.scope.function = bool(more.get("function"))
        return self.scope

    def leave(self) -> None:
        """Close the scope."""
        assert self.scope.outer is not None
        self.scope = self.scope.outer

    def cell(self) -> "Cell":
        """Return a new cell: a local variable where one may be assigned, else a place in a list."""
        owner = self.scope
        while owner.is_class and owner.outer is not None:
            owner = owner.outer
        if owner is self.scope and owner.function and not owner.bound_names:
            owner.locals += 1
            return Cell(ast.Name(f"{CELLS}_{owner.locals}", ast.Load()), None)
        owner.cells += 1
        if owner.outer is None:
            lists = ast.Name(LISTS, ast.Load())
            lists_of_module = ast.Subscript(lists, ast.Constant(self.number), ast.Load())
            return Cell(lists_of_module, owner.cells - 1)
        self.scope.borrows = self.scope.is_class
        return Cell(ast.Name(CELLS, ast.Load()), owner.cells - 1)

    def fresh(self, scope: Scope) -> ast.expr:
        """Return the expression that makes a scope's list of cells."""
        return ast.BinOp(
            ast.List([ast.Constant(0)], ast.Load()), ast.Mult(), ast.Constant(scope.cells)
        )

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        """Decorators and defaults belong outside; the body is a scope of its own."""
        bound = digest(node, decorated=False)
        boolean = isinstance(node.returns, ast.Name) and node.returns.id == "bool"
        # Decorators and defaults run outside, but they are the function's text: its name, its hash.
        # What a decorator decides hangs on the decorator; what the body decides does not.
        outside = self.scope.digest
        self.scope.digest = digest(node)
        name, self.scope.name = (
            self.scope.name,
            f"{self.scope.name}.{node.name}".removeprefix("<module>."),
        )
        for index, decorator in enumerate(node.decorator_list):
            node.decorator_list[index] = self.decorator(decorator)
        self.scope.digest = bound
        node.args = cast(ast.arguments, self.visit(node.args))
        self.scope.digest, self.scope.name = outside, name
        scope = self.enter(node.name, digest=bound, boolean=boolean, function=True)
        node.body = self.block(node.body, documented=True)
        self.leave()
        if scope.cells:
            cells = ast.Assign([ast.Name(CELLS, ast.Store())], self.fresh(scope))
            at = 1 if is_docstring(node.body) else 0
            node.body.insert(at, ast.copy_location(cells, node.body[0]))
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = function

    def decorator(self, node: ast.expr) -> ast.expr:
        """Instrument a decorator, and know a contract by its name."""
        name = node.func if isinstance(node, ast.Call) else node
        known = name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")
        self.in_contract = known in self.contracts
        done = cast(ast.expr, self.visit(node))
        self.in_contract = False
        return done

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """A lambda has no statements: its cells are made within its expression."""
        node.args = cast(ast.arguments, self.visit(node.args))
        yields = any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(node.body))
        if yields and self.scope.bound_names:
            return node  # neither `:=` nor a comprehension may stand in it: it stays plain
        scope = self.enter("<lambda>", function=True)
        body = cast(ast.expr, self.visit(node.body))
        self.leave()
        if scope.cells:
            one = ast.copy_location(ast.List([self.fresh(scope)], ast.Load()), body)
            name = ast.copy_location(ast.Name(CELLS, ast.Store()), body)
            only = ast.ListComp(body, [ast.comprehension(name, one, [], 0)])
            body = ast.copy_location(ast.Subscript(only, ast.Constant(0), ast.Load()), body)
        node.body = body
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """A class owns no cells; its namespace may be anything, so probes are declared global."""
        node.decorator_list = [self.decorator(each) for each in node.decorator_list]
        forbidden = self.scope.bound_names
        self.scope.bound_names = forbidden or bool(node.type_params)
        node.bases = [cast(ast.expr, self.visit(each)) for each in node.bases]
        node.keywords = [cast(ast.keyword, self.visit(each)) for each in node.keywords]
        self.scope.bound_names = forbidden
        scope = self.enter(node.name, is_class=True)
        node.body = self.block(node.body, documented=True)
        self.leave()
        head: list[ast.stmt] = [ast.Global([ADD, PUT, VALUE, LISTS])]
        if scope.borrows:
            head.append(ast.Nonlocal([CELLS]))
        at = 1 if is_docstring(node.body) else 0
        node.body[at:at] = [ast.copy_location(each, node.body[0]) for each in head]
        return node

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> ast.AST:
        """The first iterable belongs outside. Cells are one more `for`, over a list of one."""
        first, *rest = node.generators
        forbidden, self.scope.bound_names = self.scope.bound_names, True
        first.iter = cast(ast.expr, self.visit(first.iter))
        self.scope.bound_names = forbidden
        scope = self.enter("<comprehension>")
        for each in node.generators:
            if each is not first:
                scope.bound_names = True
                each.iter = cast(ast.expr, self.visit(each.iter))
                scope.bound_names = forbidden
            each.ifs = [self.decision(test, "comprehension", asked=True) for test in each.ifs]
        if isinstance(node, ast.DictComp):
            node.key = cast(ast.expr, self.visit(node.key))
            node.value = cast(ast.expr, self.visit(node.value))
        else:
            node.elt = cast(ast.expr, self.visit(node.elt))
        self.leave()
        if scope.cells:
            one = ast.copy_location(ast.List([self.fresh(scope)], ast.Load()), first.iter)
            cells = ast.comprehension(ast.Name(CELLS, ast.Store()), one, first.ifs, 0)
            ast.copy_location(cells.target, first.iter)
            node.generators = [
                ast.comprehension(first.target, first.iter, [], first.is_async),
                cells,
                *rest,
            ]
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = comprehension

    # --- where decisions stand --------------------------------------------------------------------

    def asking(self, node: ast.If | ast.While) -> ast.AST:
        """`if`, `elif`, `while`."""
        kind = "if" if isinstance(node, ast.If) else "while"
        node.test = self.decision(node.test, kind, asked=True)
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        return node

    visit_If = visit_While = asking

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        """`assert`."""
        node.test = self.decision(node.test, "assert", asked=True)
        node.msg = cast(ast.expr, self.visit(node.msg)) if node.msg else None
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """`a if test else b`."""
        node.test = self.decision(node.test, "ternary", asked=True)
        node.body = cast(ast.expr, self.visit(node.body))
        node.orelse = cast(ast.expr, self.visit(node.orelse))
        return node

    def loop(self, node: ast.For | ast.AsyncFor) -> ast.AST:
        """`for`: the body is entered, or the iterable ends."""
        text = headline(node)
        node.target = cast(ast.expr, self.visit(node.target))
        node.iter = cast(ast.expr, self.visit(node.iter))
        node.body = [self.probe(node, text, "enters its body"), *self.block(node.body)]
        node.orelse = [self.probe(node, text, "runs to its end"), *self.block(node.orelse)]
        return node

    visit_For = visit_AsyncFor = loop

    def visit_Match(self, node: ast.Match) -> ast.AST:
        """`match`: each case, and none of them."""
        text = headline(node)
        node.subject = cast(ast.expr, self.visit(node.subject))
        for index, case in enumerate(node.cases, start=1):
            if case.guard is not None:
                case.guard = self.decision(case.guard, "guard", asked=True)
            case.body = [self.probe(node, text, f"takes case {index}"), *self.block(case.body)]
        last = node.cases[-1]
        if last.guard is not None or not irrefutable(last.pattern):
            none = [self.probe(node, text, "takes no case")]
            node.cases.append(ast.match_case(ast.copy_location(ast.MatchAs(), node), None, none))
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        """What a function `-> bool` returns is a decision, operators or not."""
        if node.value is not None:
            boolean = self.scope.boolean
            node.value = self.decision(node.value, "return") if boolean else self.visit(node.value)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """`x: bool = …` is a decision as well."""
        node.target = self.visit(node.target)
        if node.value is not None:
            boolean = isinstance(node.annotation, ast.Name) and node.annotation.id == "bool"
            node.value = self.decision(node.value, "assign") if boolean else self.visit(node.value)
        return node

    def visit_TypeAlias(self, node: ast.TypeAlias) -> ast.AST:
        """Left alone, as annotations are."""
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """`and`, `or`."""
        return self.decision(node, "expression")

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """A comparison."""
        return self.decision(node, "expression")

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """`not`."""
        return (
            self.decision(node, "expression")
            if isinstance(node.op, ast.Not)
            else self.generic_visit(node)
        )

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A call that is known to return a bool."""
        known = isinstance(node.func, ast.Name) and node.func.id in BOOLEAN_CALLS
        return self.decision(node, "expression") if known else self.generic_visit(node)

    # --- one decision -----------------------------------------------------------------------------

    def decision(self, node: ast.expr, kind: str, asked: bool = False) -> ast.expr:
        """Return the instrumented expression. `asked`: only its truth is used, never its value."""
        if isinstance(node, ast.Constant | ast.IfExp | ast.NamedExpr) and not asked:
            return cast(ast.expr, self.visit(node))
        if isinstance(node, ast.Constant):
            return node
        text, default = ast.unparse(node), None
        if isinstance(node, ast.BoolOp) and not asked and fixed(node.values[-1]):
            # `a or "none"` chooses: the decision is `a`, the literal is what it chooses.
            default = cast(ast.expr, self.visit(node.values.pop()))
        names: list[str] = []
        leaves: list[ast.expr] = []
        tree = self.build(node, names, leaves)
        if isinstance(node, ast.BoolOp) and len(node.values) == 1 and not isinstance(tree, int):
            tree = tree[1][0]
        sure = all(
            isinstance(each, ast.Compare) and isinstance(each.ops[0], IDENTITY) for each in leaves
        )
        code = self.take(3 ** len(leaves))
        scope, bound = self.where()
        self.inventory.decisions.append(
            Decision(
                code, node.lineno, scope, kind, text, tuple(names), tree, bound, self.in_contract
            )
        )
        vector = None if one_way(tree) else self.cell()
        if default is not None:
            save = self.cell()
            wire = Wire(code, leaves, vector, save)
            test = wire.truth(tree, 0, (True, True), keep=True)
            either = isinstance(cast(ast.BoolOp, node).op, ast.Or)
            both = (save.get(), default) if either else (default, save.get())
            return ast.copy_location(ast.IfExp(test, *both), node)
        if asked or sure:
            return ast.copy_location(Wire(code, leaves, vector).truth(tree, 0, (True, True)), node)
        kept = self.cell() if len(leaves) > 1 and not is_not(tree) else None
        return ast.copy_location(Wire(code, leaves, vector, kept).value(tree, 0), node)

    def build(self, node: ast.expr, names: list[str], leaves: list[ast.expr]) -> Tree:
        """Return the tree over the conditions; fill in their texts and instrumented nodes."""
        if isinstance(node, ast.BoolOp):
            operator = "and" if isinstance(node.op, ast.And) else "or"
            return operator, tuple(self.build(each, names, leaves) for each in node.values)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return "not", (self.build(node.operand, names, leaves),)
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            return self.chain(node, names, leaves)
        names.append(ast.unparse(node))
        plain = isinstance(node, ast.Compare | ast.Call)
        leaves.append(cast(ast.expr, self.generic_visit(node) if plain else self.visit(node)))
        return len(leaves) - 1

    def chain(self, node: ast.Compare, names: list[str], leaves: list[ast.expr]) -> Tree:
        """Make `a < b < c` two conditions; b is evaluated once and kept in a cell."""
        texts = [node.left, *node.comparators]
        for left, operator, right in zip(texts, node.ops, texts[1:], strict=False):
            names.append(ast.unparse(ast.Compare(left, [operator], [right])))
        first = len(leaves)
        left = cast(ast.expr, self.visit(node.left))
        for operator, middle in zip(node.ops, node.comparators, strict=True):
            right = cast(ast.expr, self.visit(middle))
            again = right
            if middle is not node.comparators[-1] and not isinstance(right, ast.Constant):
                cell = self.cell()
                again, right = cell.get(right), cell.put(right)
            leaves.append(ast.copy_location(ast.Compare(left, [operator], [right]), node))
            left = again
        return "and", tuple(range(first, len(leaves)))


def irrefutable(pattern: ast.pattern) -> bool:
    """Return whether a pattern matches everything."""
    if isinstance(pattern, ast.MatchOr):
        return irrefutable(pattern.patterns[-1])
    return isinstance(pattern, ast.MatchAs) and (
        pattern.pattern is None or irrefutable(pattern.pattern)
    )


def fixed(node: ast.expr) -> bool:
    """Return whether an operand is no condition: a literal, other than True and False."""
    return isinstance(node, NOT_BOOLEAN) or (
        isinstance(node, ast.Constant) and not isinstance(node.value, bool)
    )


def is_not(tree: Tree) -> bool:
    """Return whether the whole decision is a `not`."""
    return not isinstance(tree, int) and tree[0] == "not"


@dataclass(frozen=True)
class Cell:
    """A place for a value within an expression: a local variable, or `place[index]`."""

    place: ast.expr
    index: int | None

    def get(self, ref: ast.expr | None = None) -> ast.expr:
        """Return the expression that reads it."""
        node = self.place
        if self.index is not None:
            node = ast.Subscript(self.place, ast.Constant(self.index), ast.Load())
        elif isinstance(self.place, ast.Name):
            node = ast.Name(self.place.id, ast.Load())
        return node if ref is None else ast.copy_location(node, ref)

    def put(self, node: ast.expr) -> ast.expr:
        """Return the expression that writes a value and gives it back."""
        done: ast.expr
        if self.index is None:
            done = ast.NamedExpr(ast.Name(cast(ast.Name, self.place).id, ast.Store()), node)
        else:
            done = call(PUT, self.place, ast.Constant(self.index), node)
        return ast.copy_location(done, node) if hasattr(node, "lineno") else done


@dataclass(frozen=True)
class Wire:
    """Put the probes around the conditions of one decision.

    `ends` says of true and of false whether the decision is then settled. `past` is the vector of
    the conditions before, where only one is possible; else a cell, `vector`, gathers it.
    """

    code: int
    leaves: list[ast.expr]
    vector: Cell | None
    save: Cell | None = None

    def keeping(self, node: ast.expr, keep: bool) -> ast.expr:
        """Return the node, its value kept if `keep`."""
        return self.save.put(node) if keep and self.save is not None else node

    def mark(self, leaf: int, value: bool, past: int, end: bool) -> ast.expr:
        """Return what a condition becomes once it is known to be `value`: a bool."""
        delta = 3**leaf * (2 if value else 1)
        if end and (self.vector is None or leaf == 0):
            probe = call(ADD, ast.Constant(self.code + past + delta))
        elif self.vector is None:
            return ast.Constant(value)
        elif end:
            total = ast.BinOp(self.vector.get(), ast.Add(), ast.Constant(self.code + delta))
            probe = call(ADD, total)
        else:
            before = ast.BinOp(self.vector.get(), ast.Add(), ast.Constant(delta))
            kept = self.vector.put(before if leaf else ast.Constant(delta))
            # A number is never None.
            return ast.Compare(kept, [ast.IsNot() if value else ast.Is()], [ast.Constant(None)])
        # `set.add` returns None.
        return ast.Compare(probe, [ast.Is() if value else ast.IsNot()], [ast.Constant(None)])

    def truth(self, tree: Tree, past: int, ends: tuple[bool, bool], keep: bool = False) -> ast.expr:
        """Return an expression for the truth of the tree, a bool."""
        true, false = ends
        if isinstance(tree, int):
            node = self.leaves[tree]
            marks = self.mark(tree, True, past, true), self.mark(tree, False, past, false)
            return ast.copy_location(ast.IfExp(self.keeping(node, keep), *marks), node)
        operator, operands = tree
        if operator == "not":
            inner = self.truth(operands[0], past, (false, true))
            return self.keeping(ast.copy_location(ast.UnaryOp(ast.Not(), inner), inner), keep)
        parts = []
        for operand in operands:
            last = operand is operands[-1]
            inner_ends = (
                true and (last or operator == "or"),
                false and (last or operator == "and"),
            )
            parts.append(self.truth(operand, past, inner_ends, keep))
            if self.vector is None and not last:
                past += trail(operand, operator == "and")
        joint = ast.And() if operator == "and" else ast.Or()
        return ast.copy_location(ast.BoolOp(joint, parts), parts[0])

    def value(self, tree: Tree, past: int) -> ast.expr:
        """Return an expression for the value of the tree: the operand evaluated last."""
        if isinstance(tree, int):
            code: ast.expr = ast.Constant(self.code + past)
            if self.vector is not None and tree:
                code = ast.BinOp(self.vector.get(), ast.Add(), code)
            node = self.leaves[tree]
            return ast.copy_location(call(VALUE, code, ast.Constant(3**tree), node), node)
        operator, (first, *rest) = tree
        if operator == "not":
            return self.truth(tree, past, (True, True))
        if not rest:
            return self.value(first, past)
        test = self.truth(first, past, (operator == "or", operator == "and"), keep=True)
        if self.vector is None:
            past += trail(first, operator == "and")
        other = self.value((operator, tuple(rest)), past)
        assert self.save is not None
        both = (other, self.save.get()) if operator == "and" else (self.save.get(), other)
        return ast.copy_location(ast.IfExp(test, *both), test)
