"""The kernel is written in the subset of Python that the provers read truly.

Why each form is refused stands beside it in `FORMS`. Three kinds:

*   what makes a step depend on more than its arguments, or on rounding: floats, globals;
*   what the prover believes without a proof, or proves although it is false: loops without a bound
    and recursion (everything holds after a function that never returns), dataclasses that inherit
    fields (it drops them), a negative divisor (it rounds the other way than Python does);
*   what it does not read at all: nested functions, assignment expressions, module dictionaries.

Termination is argued from the syntax: no `while`, `for` over `range` of constants, and a call graph
without a cycle over the kernel as a whole. So two checks: one reads a file, one reads all of them.

Theory: design 3.1; what Nagini was seen to do with each form. Not here: the import list
(`test_kernel_imports.py`), the prover itself.
"""

import ast

import pytest

from tests.tidy.findings import Finding, files, must_reject, over, show
from verify.proof.generate import LEFT_OUT, PACKAGE

# What, by node type: the finding and the remedy.
FORMS: dict[type[ast.AST], tuple[str, str]] = {
    ast.While: ("while", "a for over range(constant), or a table: termination is read here"),
    ast.Div: ("true division", "// with a divisor that is a positive constant: integers only"),
    ast.MatMult: ("matrix product", "integers only"),
    ast.Global: ("global", "a field of the state"),
    ast.Nonlocal: ("nonlocal", "a field of the state"),
    ast.Yield: ("yield", "return the whole value"),
    ast.YieldFrom: ("yield from", "return the whole value"),
    ast.Await: ("await", "the shell waits, the kernel never does"),
    ast.AsyncFunctionDef: ("async def", "the shell waits, the kernel never does"),
    ast.Try: ("try", "a guard and a Refused: no error is an answer of the kernel"),
    ast.With: ("with", "the kernel holds no resource"),
    ast.NamedExpr: ("assignment expression", "a name on a line of its own: the prover refuses it"),
    ast.Starred: ("starred expression", "spell the elements out"),
    ast.Delete: ("del", "a new value"),
    ast.Dict: ("dict", "a tuple indexed by int(enum): the prover refuses a module's dict"),
    ast.DictComp: ("dict comprehension", "a tuple indexed by int(enum)"),
    ast.SetComp: ("set comprehension", "one line for each slot"),
    ast.ListComp: ("list comprehension", "one line for each slot: the prover refuses it"),
    ast.GeneratorExp: ("generator expression", "one line for each slot: the prover refuses it"),
    ast.Set: ("set", "comparisons joined by or: the prover does not read membership"),
    ast.List: ("list", "a tuple: state is immutable"),
    ast.In: ("in", "comparisons joined by or: the prover does not read membership"),
    ast.NotIn: ("not in", "comparisons joined by and: the prover does not read membership"),
    ast.Is: ("is", "== on enums and integers, isinstance on classes"),
    ast.IsNot: ("is not", "!= on enums and integers"),
    ast.BitAnd: ("&", "bool fields and `and`: bit operations are not confirmed by the provers"),
    ast.BitXor: ("^", "!= on booleans"),
    ast.Invert: ("~", "not"),
    ast.LShift: ("<<", "a product with a named constant"),
    ast.RShift: (">>", "// with a named constant"),
    ast.Match: ("match", "if with isinstance: class patterns with fields are refused"),
}
# The wrapper around ``step`` is no part of what is proved (docs/adr/0084): nothing in it decides.
UNPROVED = "kernel/contracts.py"
BUILT_INS = {"float", "complex", "round", "sum", "all", "any", "sorted", "map", "filter", "divmod"}


def _is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(each) for each in node.decorator_list)


def _contract_lambdas(module: ast.Module) -> set[ast.Lambda]:
    """Return the lambdas that stand as an argument in a decorator."""
    return {
        each
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        for each in ast.walk(decorator)
        if isinstance(each, ast.Lambda)
    }


def _range_of_constant(node: ast.expr) -> bool:
    """Say whether the loop is `for … in range(CONSTANT, …)`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "range"
        and all(
            isinstance(argument, ast.Constant)
            or (isinstance(argument, ast.Name) and argument.id.isupper())
            for argument in node.args
        )
    )


def kernel_subset(path: str, text: str) -> list[Finding]:
    """Return every form that is outside the provable subset."""
    module = ast.parse(text)
    lambdas = _contract_lambdas(module)
    # Contract text may say "the same object": of objects the prover follows no other equality.
    speaks = [module] if path.startswith("kernel/contract/") else list(lambdas)
    same_object = {each for text in speaks for each in ast.walk(text)}
    empty_bases = {
        node.name
        for node in module.body
        if isinstance(node, ast.ClassDef) and not _is_dataclass(node)
    }
    found: list[tuple[ast.AST, str, str]] = []
    for node in ast.walk(module):
        # One object stands for every `is` of a file: each comparison is asked below.
        if type(node) in FORMS and not isinstance(node, ast.Is):
            found.append((node, *FORMS[type(node)]))
        elif isinstance(node, ast.BinOp | ast.Compare | ast.UnaryOp):
            signs = node.ops if isinstance(node, ast.Compare) else [node.op]
            if node in same_object:
                signs = [sign for sign in signs if not isinstance(sign, ast.Is)]
            found += [(node, *FORMS[type(sign)]) for sign in signs if type(sign) in FORMS]
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            found.append((node, "float", "an integer in ppm, micro-USDT or ms"))
        if isinstance(node, ast.Name) and node.id in BUILT_INS:
            found.append((node, f"built-in {node.id}", "integers, one line for each slot"))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("min", "max") and len(node.args) != 2:
                found.append((node, f"{node.func.id} of {len(node.args)}", "two arguments, nested"))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv | ast.Mod):
            if isinstance(node.right, ast.UnaryOp) and isinstance(node.right.op, ast.USub):
                remedy = "negate the dividend, and say which way it rounds"
                found.append((node, "negative divisor", remedy))
        if isinstance(node, ast.For) and not _range_of_constant(node.iter):
            found.append((node, "for over something else than range(CONSTANT)", "a bounded range"))
        if isinstance(node, ast.Lambda) and node not in lambdas:
            found.append((node, "lambda outside a contract", "a named @pure function"))
        if isinstance(node, ast.FunctionDef):
            inner = [
                each
                for each in ast.walk(node)
                if isinstance(each, ast.FunctionDef | ast.ClassDef) and each is not node
            ]
            remedy = "a @pure one at module level"
            found += [(each, "definition inside a function", remedy) for each in inner]
        if isinstance(node, ast.ClassDef) and _is_dataclass(node):
            if "dataclass(frozen=True)" not in map(ast.unparse, node.decorator_list):
                found.append((node, "dataclass that is not just frozen", "@dataclass(frozen=True)"))
            for base in node.bases:
                name = ast.unparse(base)
                if name not in empty_bases and not name.endswith(("Event", "Outcome")):
                    found.append((node, f"dataclass inherits {name}", "spell the fields out"))
    return [
        Finding(path, getattr(node, "lineno", 0), what, instead) for node, what, instead in found
    ]


def cycles(texts: dict[str, str]) -> list[Finding]:
    """Return the functions that can reach themselves, by name, over all files together.

    Names are taken as they stand, without resolving them: two functions of one name count as one,
    which can only report too much. Decorators are left out: a contract is not part of the call.
    """
    calls: dict[str, set[str]] = {}
    place: dict[str, tuple[str, int]] = {}
    for path, text in texts.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                names = [
                    each
                    for statement in node.body
                    for each in ast.walk(statement)
                    if isinstance(each, ast.Name)
                ]
                # What is assigned or a parameter here is local, and hides a function of its name.
                local = {each.id for each in names if isinstance(each.ctx, ast.Store)}
                local |= {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
                used = {each.id for each in names} - local
                calls[node.name] = calls.get(node.name, set()) | used
                place[node.name] = (path, node.lineno)
    found = []
    for name in calls:
        reached: set[str] = set()
        ahead = set(calls[name])
        while ahead:
            reached |= ahead
            ahead = {far for near in ahead for far in calls.get(near, ())} - reached
        if name in reached:
            path, line = place[name]
            found.append(Finding(path, line, f"{name} can call itself", "a bounded for or a table"))
    return found


REJECTED = [
    ("x = 0.5\n", "float"),
    ("x = 1 / 2\n", "true division"),
    ("def f(a):\n    a /= 2\n    return a\n", "true division"),
    ("x = float(1)\n", "float"),
    ("def f(n):\n    while n:\n        n -= 1\n", "while"),
    ("def f(xs):\n    for x in xs:\n        pass\n", "for over"),
    ("def f(n):\n    for i in range(n):\n        pass\n", "for over"),
    ("def f(p):\n    return p in (1, 2)\n", "in"),
    ("def f(p, q):\n    return p is q\n", "is"),
    ("def f(a):\n    return a & 1\n", "&"),
    ("def f(a):\n    return ~a\n", "~"),
    ("def f(a):\n    if (b := a):\n        return b\n", "assignment expression"),
    ("def f():\n    def g():\n        pass\n", "definition inside"),
    ("f = lambda x: x\n", "lambda"),
    ("T = {1: 2}\n", "dict"),
    ("def f(xs):\n    return [x for x in xs]\n", "list comprehension"),
    ("def f(a, b, c):\n    return min(a, b, c)\n", "min of 3"),
    ("x = 7 // -2\n", "negative divisor"),
    ("def f():\n    global x\n", "global"),
    ("def f():\n    try:\n        pass\n    except ValueError:\n        pass\n", "try"),
    ("async def f():\n    pass\n", "async"),
    ("def f(e):\n    match e:\n        case 1:\n            pass\n", "match"),
    ("@dataclass\nclass A:\n    x: int\n", "not just frozen"),
    ("@dataclass(frozen=True, slots=True)\nclass A:\n    x: int\n", "not just frozen"),
    (
        "@dataclass(frozen=True)\nclass A:\n    x: int\n@dataclass(frozen=True)\nclass B(A):\n"
        "    y: int\n",
        "inherits A",
    ),
]
ALLOWED = [
    "X: Final[int] = 1_000_000\n",
    "T = ((1, 2), (3, 4))\ndef f(p):\n    return T[int(p)][0] // 3\n",
    "def f(a):\n    for i in range(8):\n        a = a + i\n    return a\n",
    "@require(lambda a: a >= 0)\ndef f(a):\n    return min(a, max(1, 2)) % 7\n",
    "class Event:\n    pass\n@dataclass(frozen=True)\nclass A(Event):\n    x: int\n",
    "Outcome = Union[int, bool]\ntype_or = int | bool\n",
    "@ensure(lambda a, result: result is a)\ndef f(a):\n    return a\n",
]
RECURSIVE = [
    {"kernel/a.py": "def f(n):\n    return f(n - 1)\n"},
    {"kernel/a.py": "def f(n):\n    return g(n)\n", "kernel/b.py": "def g(n):\n    return f(n)\n"},
    {"kernel/a.py": "def f(n):\n    h = f\n    return h(n)\n"},
]


@pytest.mark.parametrize(("text", "what"), REJECTED)
def test_a_form_outside_the_subset_is_rejected(text: str, what: str) -> None:
    must_reject(kernel_subset, "kernel/sample.py", text, what)


@pytest.mark.parametrize("text", ALLOWED)
def test_the_subset_passes(text: str) -> None:
    assert kernel_subset("kernel/sample.py", text) == []


def test_contract_text_may_say_the_same_object() -> None:
    text = "def same(a, b):\n    return a.x is b.x\n"
    assert kernel_subset("kernel/contract/sample.py", text) == []
    assert kernel_subset("kernel/sample.py", text) != []
    more = "def f(p):\n    return p in (1, 2)\n"
    assert kernel_subset("kernel/contract/sample.py", more) != []


@pytest.mark.parametrize("texts", RECURSIVE)
def test_recursion_is_rejected(texts: dict[str, str]) -> None:
    assert cycles(texts)


def test_a_chain_of_calls_is_no_recursion() -> None:
    local = "def step(n):\n    return take(n)\ndef take(n):\n    step = n + 1\n    return step\n"
    assert cycles({"kernel/a.py": local}) == []
    assert cycles({"kernel/a.py": "def f(n):\n    return g(n)\ndef g(n):\n    return n\n"}) == []


def test_the_kernel_keeps_to_the_subset() -> None:
    found = over(kernel_subset, ".py", under=("kernel",))
    found = [each for each in found if each.path != UNPROVED]
    assert not found, show(found)


def test_the_file_outside_the_subset_has_no_proof_file() -> None:
    assert f"{PACKAGE}/{LEFT_OUT[0]}" == UNPROVED
    assert len(LEFT_OUT) == 1


def test_no_function_of_the_kernel_can_call_itself() -> None:
    texts = dict(files(".py", under=("kernel",)))
    assert len(texts) > 5, "the kernel was not found"
    found = cycles(texts)
    assert not found, show(found)
