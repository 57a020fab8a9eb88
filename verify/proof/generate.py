"""Proof files: the shipped source of the kernel with its contracts as the prover spells them.

Rules of this file:

*   One proof file for each module of ``kernel/``, in ``build/proof/kernel/``. Nothing in it is
    written by hand: contract decorators become statements at the head of the body, ``result``
    becomes ``Result()``, ``@pure`` becomes ``@Pure``. The bodies are the shipped ones.
*   ``stripped`` undoes it. For every function the proof file stripped and the shipped function
    stripped have equal trees (tests/verify/proof/test_generate.py).
*   A decorator that is not known is refused: the prover takes an unknown one without a word.
*   ``contracts.py`` has no proof file; its one name in the others becomes the prover's module.
*   The promise of ``step`` is one predicate, a conjunction of thirty-three. Where a contract asks
    it, the proof file asks a few parts at a time, then the whole: questions are small, and what is
    asked is the same. The parts are read off the shipped predicates (``build/…/spread.py``).

Theory: a decorator's lambda names its function's parameters, so its body is an expression over
them; the prover reads the same expression in ``Requires`` and ``Ensures``.

Not here: running the prover (``run.py``, ``worker.py``), what it cannot say (``waivers.toml``).
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from verify.proof.errors import ProofError

PACKAGE = "kernel"
CONTRACTS = "kernel.contracts"
PROVER = "nagini_contracts.contracts"
LEFT_OUT = ("contracts.py",)

PROMISE = "outcome_keeps_promises"  # what is said part by part: Refused, or all of these
SPREAD = ("answer_keeps_promises", "Inv", "StepProperties")
SPREAD_MODULE = "spread"
PARTS_ASKED = 4  # at once: few enough to be decided, not so many that reading them takes longer

MARKS = {"pure": "Pure", "opaque": "Opaque", "remembered": ""}  # the last is nothing to a proof
STATEMENTS = {
    "require": "Requires",
    "require_part": "Requires",
    "require_proof": "Requires",
    "ensure": "Ensures",
    "ensure_proof": "Ensures",
    "ensure_part": "Ensures",
}
HEADS = {"Requires", "Ensures"}


class _Spoken(ast.NodeTransformer):
    """Say a contract as the prover does: ``Result()`` for ``result``, ``Reveal`` for ``reveal``."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == "reveal":
            return ast.Name("Reveal", ast.Load())
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
    body = _Spoken().visit(condition.body)
    call = ast.Call(func=ast.Name(head, ast.Load()), args=[body], keywords=[])
    return ast.Expr(call)


def _head(statement: ast.stmt) -> str:
    """Return the contract's name where a statement is one, else nothing."""
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return ""
    function = statement.value.func
    return function.id if isinstance(function, ast.Name) and function.id in HEADS else ""


def _ensured(statement: ast.stmt) -> ast.expr | None:
    """Return what a statement ensures; None where it is another."""
    if _head(statement) != "Ensures":
        return None
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    return statement.value.args[0]


def _function(path: str, node: ast.FunctionDef) -> ast.FunctionDef:
    """Return a function with its contracts as statements."""
    if "result" in {each.arg for each in node.args.args}:
        raise ProofError(f"{path}:{node.lineno}: {node.name}: a parameter is called result")
    if any(
        isinstance(each, ast.Name) and each.id == "reveal"
        for one in node.body
        for each in ast.walk(one)
    ):
        raise ProofError(f"{path}:{node.lineno}: {node.name}: reveal stands in contracts only")
    statements = [_statement(path, node, each) for each in node.decorator_list]
    requires = [each for each in statements if each is not None and _head(each) == "Requires"]
    ensures = [each for each in statements if each is not None and _head(each) == "Ensures"]
    docstring = node.body[:1] if ast.get_docstring(node) is not None else []
    rest = node.body[len(docstring) :]
    decorators: list[ast.expr] = [
        ast.Name(MARKS[each.id], ast.Load())
        for each in node.decorator_list
        if isinstance(each, ast.Name) and MARKS[each.id]
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


class _Replaced(ast.NodeTransformer):
    """Put expressions in the place of names."""

    def __init__(self, by_name: dict[str, ast.expr]) -> None:
        self.by_name = by_name

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.by_name.get(node.id, node)


def parts_of(call: ast.Call, functions: dict[str, ast.FunctionDef]) -> list[ast.expr]:
    """Return the conjuncts of a call of a predicate of ``SPREAD``, theirs in their place.

    What is no conjunction stays a call: a mutant of one is for the prover to judge.
    """
    assert isinstance(call.func, ast.Name)
    function = functions[call.func.id]
    last = function.body[-1]
    assert isinstance(last, ast.Return)
    if not (isinstance(last.value, ast.BoolOp) and isinstance(last.value.op, ast.And)):
        return [call]
    names = [each.arg for each in function.args.args]
    by_name = dict(zip(names, call.args, strict=True))
    found: list[ast.expr] = []
    for each in last.value.values:
        part = _Replaced(by_name).visit(ast.parse(ast.unparse(each), mode="eval").body)
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
            if part.func.id in SPREAD:
                found += parts_of(part, functions)
                continue
        found.append(part)
    return found


def spread_module(texts: dict[str, str]) -> tuple[str, list[str]]:
    """Return a module with a predicate for each part of the promise, and their names.

    ``texts`` are the shipped sources by module.
    """
    functions: dict[str, ast.FunctionDef] = {}
    homes: dict[str, str] = {}
    for module, text in texts.items():
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                homes.setdefault(node.name, module)
            if isinstance(node, ast.FunctionDef) and node.name in SPREAD:
                functions[node.name] = node
    first = functions[SPREAD[0]]
    names = [each.arg for each in first.args.args]
    call = ast.Call(ast.Name(SPREAD[0]), [ast.Name(each) for each in names], [])
    made: list[str] = []
    used = {"Accepted", "Event", "State"}
    lines: list[str] = []
    parts = parts_of(call, functions)
    for start in range(0, len(parts), PARTS_ASKED):
        part = ast.BoolOp(ast.And(), parts[start : start + PARTS_ASKED])
        used |= {each.id for each in ast.walk(part) if isinstance(each, ast.Name)} - set(names)
        made.append(f"promised_{len(made) + 1}")
        lines += [
            "@Pure",
            f"def {made[-1]}({ast.unparse(first.args)}) -> bool:",
            f"    return {ast.unparse(part)}",
        ]
    heads = [f"from {PROVER} import *"]
    heads += [f"from {PACKAGE}.{homes.get(name, 'events')} import {name}" for name in sorted(used)]
    return "\n".join([*heads, *lines]) + "\n", made


def spread(text: str, names: list[str]) -> str:
    """Return a proof file with the parts of the promise asked before the whole."""
    module = ast.parse(text)
    asked = False
    for node in module.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        body: list[ast.stmt] = []
        for each in node.body:
            whole = _ensured(each)
            if isinstance(whole, ast.Call) and ast.unparse(whole.func) == PROMISE:
                asked = True
                said = ", ".join(ast.unparse(one) for one in whole.args)
                body += ast.parse(
                    "\n".join(
                        f"Ensures(isinstance(Result(), Refused) or {name}({said}))"
                        for name in names
                    )
                ).body
            body.append(each)
        node.body = body
    if not asked:
        return text
    last = max(
        number for number, node in enumerate(module.body) if isinstance(node, ast.ImportFrom)
    )
    known = any(
        isinstance(node, ast.ImportFrom) and any(one.name == "Refused" for one in node.names)
        for node in module.body
    )
    heads = f"from {PACKAGE}.{SPREAD_MODULE} import {', '.join(names)}\n"
    if not known:
        heads += f"from {PACKAGE}.outcome import Refused\n"
    module.body[last + 1 : last + 1] = ast.parse(heads).body
    return ast.unparse(ast.fix_missing_locations(module)) + "\n"


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
    return {
        module: written(target / file_of(module), text)
        for module, text in proof_files(sources(root)).items()
    }


def file_of(module: str) -> str:
    """Return a module's path: ``kernel/contract/gate.py`` of ``contract.gate``."""
    return f"{PACKAGE}/{module.replace('.', '/')}.py"


def name_of(root: Path, source: Path) -> str:
    """Return a module's name: ``contract.gate`` of ``kernel/contract/gate.py``."""
    return ".".join(source.relative_to(root / PACKAGE).with_suffix("").parts)


def sources(root: Path) -> dict[str, str]:
    """Return the shipped sources that have proof files, by module."""
    return {
        name_of(root, source): source.read_text("utf-8")
        for source in sorted((root / PACKAGE).rglob("*.py"))
        if source.name not in LEFT_OUT
    }


def proof_files(shipped: dict[str, str]) -> dict[str, str]:
    """Return the text of every proof file for the shipped sources, by module."""
    parts, names = spread_module(shipped)
    made = {
        module: spread(proof_module(file_of(module), text), names)
        for module, text in shipped.items()
    }
    return {**made, SPREAD_MODULE: parts}


def written(file: Path, text: str) -> Path:
    """Write a text where it is another than the file's; return the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists() or file.read_text("utf-8") != text:
        file.write_text(text, "utf-8")
    return file
