"""Proof files: the shipped source of the kernel with its contracts as the prover spells them.

Rules of this file:

*   One proof file for each module of ``kernel/``, in ``build/proof/kernel/``. Nothing in it is
    written by hand: contract decorators become statements at the head of the body, ``result``
    becomes ``Result()``, ``@pure`` becomes ``@Pure``. The bodies are the shipped ones.
*   ``stripped`` undoes it. For every function the proof file stripped and the shipped function
    stripped have equal trees (tests/dolphin/proof/test_generate.py).
*   A decorator that is not known is refused: the prover takes an unknown one without a word.
*   ``contracts.py`` has no proof file; its one name in the others becomes the prover's module.

Theory: a decorator's lambda names its function's parameters, so its body is an expression over
them; the prover reads the same expression in ``Requires`` and ``Ensures``.

Not here: running the prover (``run.py``, ``worker.py``), what it cannot say (``excused.toml``).
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from dolphin.verify.proof.errors import ProofError

PACKAGE = "kernel"
CONTRACTS = "kernel.contracts"
PROVER = "nagini_contracts.contracts"
LEFT_OUT = ("contracts.py",)

MARKS = {"pure": "Pure", "opaque": "Opaque"}
STATEMENTS = {
    "require": "Requires",
    "require_part": "Requires",
    "require_proof": "Requires",
    "ensure": "Ensures",
    "ensure_proof": "Ensures",
    "ensure_part": "Ensures",
}
HEADS = {"Requires", "Ensures"}


class _Result(ast.NodeTransformer):
    """Replace the name ``result`` by the call ``Result()``."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id != "result":
            return node
        return ast.Call(func=ast.Name("Result", ast.Load()), args=[], keywords=[])


def _statement(path: str, function: ast.FunctionDef, decorator: ast.expr) -> ast.Expr | None:
    """Return the contract that a decorator states; None for a mark."""
    if isinstance(decorator, ast.Name) and decorator.id in MARKS:
        return None
    place = f"{path}:{decorator.lineno}: {function.name}"
    if not (
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Name)
        and decorator.func.id in STATEMENTS
    ):
        known = ", ".join([*MARKS, *STATEMENTS])
        raise ProofError(f"{place}: decorator {ast.unparse(decorator)}; expected one of {known}")
    if len(decorator.args) != 1 or decorator.keywords:
        raise ProofError(f"{place}: a contract takes one lambda and nothing else")
    condition = decorator.args[0]
    if not isinstance(condition, ast.Lambda):
        raise ProofError(f"{place}: {ast.unparse(condition)}; expected a lambda")
    head = STATEMENTS[decorator.func.id]
    known_names = {each.arg for each in function.args.args}
    if head == "Ensures":
        known_names |= {"result"}
    names = condition.args
    plain = not (
        names.defaults or names.kwonlyargs or names.vararg or names.kwarg or names.posonlyargs
    )
    unknown = {each.arg for each in names.args} - known_names
    if unknown or not plain:
        raise ProofError(f"{place}: a contract speaks of the parameters and of result only")
    body = _Result().visit(condition.body)
    call = ast.Call(func=ast.Name(head, ast.Load()), args=[body], keywords=[])
    return ast.Expr(call)


def _head(statement: ast.stmt) -> str:
    """Return the contract's name where a statement is one, else nothing."""
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return ""
    function = statement.value.func
    return function.id if isinstance(function, ast.Name) and function.id in HEADS else ""


def _function(path: str, node: ast.FunctionDef) -> ast.FunctionDef:
    """Return a function with its contracts as statements."""
    if "result" in {each.arg for each in node.args.args}:
        raise ProofError(f"{path}:{node.lineno}: {node.name}: a parameter is called result")
    statements = [_statement(path, node, each) for each in node.decorator_list]
    requires = [each for each in statements if each is not None and _head(each) == "Requires"]
    ensures = [each for each in statements if each is not None and _head(each) == "Ensures"]
    docstring = node.body[:1] if ast.get_docstring(node) is not None else []
    rest = node.body[len(docstring) :]
    decorators: list[ast.expr] = [
        ast.Name(MARKS[each.id], ast.Load())
        for each in node.decorator_list
        if isinstance(each, ast.Name)
    ]
    made = ast.FunctionDef(
        name=node.name,
        args=node.args,
        body=[*docstring, *requires, *ensures, *rest],
        decorator_list=decorators,
        returns=node.returns,
        type_params=[],
    )
    return ast.copy_location(made, node)


def _is_empty_dataclass(node: ast.ClassDef) -> bool:
    """Return whether a class is a dataclass without fields."""
    return bool(node.decorator_list) and not any(
        isinstance(each, ast.AnnAssign) for each in node.body
    )


def _plain_class(node: ast.ClassDef) -> ast.ClassDef:
    """Return a dataclass without fields as a plain class: the prover refuses the former."""
    made = ast.ClassDef(
        name=node.name,
        bases=node.bases,
        keywords=[],
        body=node.body,
        decorator_list=[],
        type_params=[],
    )
    return ast.copy_location(made, node)


def proof_module(path: str, text: str) -> str:
    """Return the proof file of one module's source."""
    module = ast.parse(text)
    body: list[ast.stmt] = []
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            body.append(_function(path, node))
        elif isinstance(node, ast.ImportFrom) and node.module == CONTRACTS:
            body.append(ast.ImportFrom(module=PROVER, names=[ast.alias("*")], level=0))
        elif isinstance(node, ast.ClassDef) and _is_empty_dataclass(node):
            body.append(_plain_class(node))
        else:
            body.append(node)
    made = ast.fix_missing_locations(ast.Module(body=body, type_ignores=[]))
    return ast.unparse(made) + "\n"


def stripped(function: ast.FunctionDef) -> ast.FunctionDef:
    """Return a function of either side without its contracts."""
    body = [each for each in function.body if not _head(each)]
    return ast.FunctionDef(
        name=function.name,
        args=function.args,
        body=body,
        decorator_list=[],
        returns=function.returns,
        type_params=[],
    )


def functions_of(text: str) -> Iterator[ast.FunctionDef]:
    """Yield the functions of a module, in order."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            yield node


def imports_of(text: str) -> set[str]:
    """Return the modules of the kernel that a proof file imports."""
    found = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            package, _, name = node.module.partition(".")
            if package == PACKAGE:
                found.add(name)
    return found


def probe_module(text: str, module: str) -> tuple[str, dict[int, str]]:
    """Return a module that calls each function of a proof file and then asserts False.

    With it the function's name by the line of its assertion. Each must be refused: where one
    passes, a precondition or a contract contradicts itself.
    """
    kept = [
        ast.unparse(node)
        for node in ast.parse(text).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    functions = list(functions_of(text))
    lines = [*kept, f"from {PACKAGE}.{module} import *"]
    found: dict[int, str] = {}
    for each in functions:
        required = [one for one in each.body if _head(one) == "Requires"]
        names = ", ".join(argument.arg for argument in each.args.args)
        lines += [f"def probe_{each.name}({ast.unparse(each.args)}) -> None:"]
        lines += [f"    {ast.unparse(one)}" for one in required]
        lines += [f"    made = {each.name}({names})", "    assert False"]
        found[len("\n".join(lines).splitlines())] = each.name
    return "\n".join(lines) + "\n", found


def generate(root: Path, target: Path) -> dict[str, Path]:
    """Write the proof files below ``target``; return them by module name."""
    made: dict[str, Path] = {}
    folder = target / PACKAGE
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted((root / PACKAGE).glob("*.py")):
        if source.name in LEFT_OUT:
            continue
        text = proof_module(source.relative_to(root).as_posix(), source.read_text("utf-8"))
        written = folder / source.name
        if not written.exists() or written.read_text("utf-8") != text:
            written.write_text(text, "utf-8")
        made[source.stem] = written
    return made
