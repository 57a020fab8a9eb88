"""Programs that an instrument gets wrong easily. Not a test: `test_same_results.py` runs each plain
and instrumented and compares what they print, return and raise.

Each text is a module. It appends to `log`; `Loud` notes every question for its truth.
"""

LOUD = """
log = []
class Loud:
    def __init__(self, name, truth):
        self.name, self.truth = name, truth
    def __bool__(self):
        log.append(f"bool {self.name}")
        if self.truth is None:
            raise ValueError(f"{self.name} has no truth")
        return self.truth
    def __lt__(self, other):
        log.append(f"{self.name} < {getattr(other, 'name', other)}")
        return self if self.truth else self.truth
    def __repr__(self):
        return f"<{self.name}>"
def L(name, truth=True):
    log.append(f"call {name}")
    return Loud(name, truth)
"""

F = "def f(a, b):\n    return bool(a and b)\nlog = [f(1, 0), f(1, 1)]\n"
# Sources as bytes: what stands in a file before anybody has decoded it. `f` stands last.
SOURCES: dict[str, bytes] = {
    "another encoding": b"# -*- coding: latin-1 -*-\nS = '\xe9' or 0\n" + F.encode(),
    "a byte order mark": b"\xef\xbb\xbf" + F.encode(),
    "CRLF": F.replace("\n", "\r\n").encode(),
    "CR": F.replace("\n", "\r").encode(),
    "form feeds": b"\x0cX = 1\n\x0c\n" + F.encode(),
    "separators that end no line": "S = '\u2028\x1c\x85' or 1\n".encode() + F.encode(),
    "no end of line": F.rstrip().encode(),
    "half a surrogate": b"S = '\\ud800' or 0; T = f'{S!a}\\ud800' or 0\n" + F.encode(),
    "a number without end": b"X = 0x" + b"f" * 6_000 + b" or 0\n" + F.encode(),
    "a line without end": b"X = '" + b"x" * 500_000 + b"' or 0\n" + F.encode(),
    "a chain of elif": (
        "def g(x):\n    if x == 0: return 0\n"
        + "".join(f"    elif x == {i}: return {i}\n" for i in range(1, 400))
    ).encode()
    + F.encode(),
    "a hundred conditions": f"X = {' and '.join(f'{i} != 0' for i in range(100))}\n".encode()
    + F.encode(),
    "lambdas in lambdas": b"X = " + b"lambda: " * 80 + b"1 and 2\n" + F.encode(),
    "lists in lists": b"X = " + b"[" * 90 + b"1 and 2" + b"]" * 90 + b"\n" + F.encode(),
    "tabs, semicolons, continuations": b"if 1:\n\tX = 1 \\\n or 2; Y = 3\n" + F.encode(),
    "names beyond ASCII": "ａ = é = 1 or 2\n".encode() + F.encode(),
}
# What the compiler takes plain and cannot take with probes in it: it runs plain.
TOO_DEEP: dict[str, bytes] = {
    "not not not": b"X = " + b"not " * 800 + b"1\n" + F.encode(),
    "a chain of comparisons": f"X = {' < '.join(map(str, range(1_500)))}\n".encode() + F.encode(),
}

PROGRAMS = {
    "docstring and future": '''"""Doc."""
from __future__ import annotations
log = [__doc__]
def f(x: 1 < 2 or unknown) -> (a and b):
    """Inner."""
    return x or "none"
class C:
    """Class."""
    y: (1 or 2) = 3
log += [f.__doc__, f.__annotations__, C.__doc__, C.__annotations__, f(0), f(5)]
''',
    "values of and, or": LOUD + '''
for t in (True, False):
    for u in (True, False):
        for v in (True, False):
            log.append(L("a", t) and L("b", u) or L("c", v))
            log.append((L("a", t) or L("b", u)) and L("c", v))
            log.append((L("a", t) and not L("b", u)) or L("c", v))
            log.append(not L("a", t) or (L("b", u) and L("c", v)))
            log.append(L("a", t) or [])
            log.append(L("a", t) and L("b", u) and "yes")
            log.append(L("a", t) < L("b", u) < L("c", v))
            log.append(0 if L("a", t) < 5 < 9 else 1)
            log.append([] or L("a", t) or {} or 0)
''',
    "chained comparison": LOUD + '''
def middle():
    log.append("middle"); return 5
log.append(1 < middle() < 9 == 9 != 3)
log.append(9 < middle() < L("never"))
log.append([x for x in range(9) if 2 <= x < middle() is not None])
log.append(3 in [3] in [[3]])
''',
    "walrus": '''
log = []
def f(xs):
    while (n := len(xs)) > 1 and (last := xs.pop()) or n > 99:
        log.append((n, last))
    if (m := n + 1) and (k := m - 1) or not n:
        log.append((m, k))
    return [y for x in range(4) if (y := x * 2) > 1 and y < 6], y
log.append(f([1, 2, 3]))
log.append((lambda: (z := 3) > 2 and (z < 9 or z > 8) and z)())
''',
    "while else, for else": '''
log = []
def f(stop):
    n = 0
    while n < 3:
        n += 1
        if n == stop: break
    else:
        log.append("while ran out")
    for i in range(3):
        if i == stop: break
        if i == 1: continue
        log.append(i)
    else:
        log.append("for ran out")
    for i in (): pass
    return n
log += [f(1), f(9)]
''',
    "match": '''
log = []
def f(x, a, b):
    match x:
        case 1 | 2 if a and b: return "small"
        case [y, *rest] if y > 1 or rest: return ("list", y, rest)
        case {"k": v}: return v
        case str() as s: return s
        case _ if not a: return "guarded"
def g(x):
    match x:
        case 1: log.append("one")
        case other: log.append(other)
for x in (1, 2, [3], [0, 1], [0], {"k": 4}, "s", None):
    for a in (0, 1):
        for b in (0, 1):
            log.append(f(x, a, b))
    g(x)
''',
    "exceptions": '''
log = []
def f(x):
    try:
        assert x and x != 3, (x or "no") and "three"
        return 1 / (x - 1)
    except (ZeroDivisionError if x == 1 else KeyError) as e:
        log.append(repr(e))
    except AssertionError as e:
        log.append(repr(e)); raise ValueError("again") from e
    else:
        log.append("else")
    finally:
        log.append("finally")
for x in (0, 1, 2, 3):
    try: log.append(f(x))
    except ValueError as e: log.append((repr(e), repr(e.__cause__)))
try:
    try: raise ExceptionGroup("g", [TypeError(), KeyError()])
    except* TypeError as e: log.append(e.exceptions)
except ExceptionGroup as e: log.append(e.exceptions)
''',
    "recursion inside a condition": '''
log = []
def f(n):
    return (n < 1 or f(n - 1)) and (n < 3 or not f(n - 2)) and 0 <= n < 9
def g(n):
    if n and (n > 5 or g(n - 1)) and g(n - 2) is None:
        return n
    return None
log += [[f(n) for n in range(9)], [g(n) for n in range(9)]]
''',
    "generators interleaved": '''
log = []
def gen(name):
    x = yield name
    while ((yield (name, 1)) or x) and (yield (name, 2)):
        x = not x and (yield (name, 3)) or x
    return
a, b = gen("a"), gen("b")
log += [next(a), next(b)]
for i in range(20):
    for each in (a, b):
        try: log.append(each.send(i % 3))
        except StopIteration: log.append("stop")
log.append(list(x for x in range(9) if (x > 2 or x == 1) and x % 2))
''',
    "coroutines": '''
import asyncio
log = []
class Turn:
    def __await__(self): yield
async def truth(x):
    await Turn(); log.append(x); return x
async def agen():
    for i in range(4): yield i
async def main(k):
    if (await truth(k) or await truth(1)) and await truth(k):
        log.append("in")
    return [x async for x in agen() if (x or await truth(x)) and await truth(x) > k]
async def both():
    log.append(await asyncio.gather(main(0), main(1)))
asyncio.run(both())
''',
    "classes": '''
import enum, dataclasses
log = []
class Color(enum.Enum):
    RED = 1 or 2
    GREEN = 3 if 1 < 2 < 3 else 4
    def warm(self) -> bool:
        return self is Color.RED or self.value > 9
class Auto(dict):
    def __missing__(self, key):
        self[key] = key.lower(); return self[key]
class Meta(type):
    @classmethod
    def __prepare__(meta, name, bases): return Auto()
    def __new__(meta, name, bases, ns): return super().__new__(meta, name, bases, dict(ns))
class Spells(metaclass=Meta):
    A
    if B and (C or D) and E: F
    x = [i for i in (1, 2, 3) if (i > 1 or i < 0) and i != 3]
log += [sorted(k for k in vars(Spells) if len(k) == 1), Spells.x]
@dataclasses.dataclass(frozen=True, order=bool(1) and not 0)
class P:
    x: int = 0 or 1
    y: bool = 1 < 2
    def __post_init__(self):
        if not (0 <= self.x < 9): raise ValueError(self.x)
def f(k):
    class In:
        if (k or k is None) and k != 2: z = k or "none"
        w = [k for _ in (1,) if (k or not k) and 0 < k + 1 < 9]
        v = (k and k) or (k is not None)
        def m(self) -> bool: return super().__init__() is None and k in (1, 2)
    return sorted((a, str(b)) for a, b in vars(In).items() if len(a) == 1 and a != "m"), In().m()
log += [Color.RED.warm(), list(Color), P(), f(1), f(2), f(0), dir(Color), sorted(globals())]
class Mangled:
    __x = 1
    def get(self): return (self.__x or 0) and (self.__x == 1 or self.__x == 2)
log.append(Mangled().get())
''',
    "lambdas and defaults": '''
import inspect
log = []
def deco(*, on=True or False): return (lambda f: f) if on and 1 else None
@deco(on=1 < 2 < 3 and (log or not log))
def f(a, b=(1 or 2) and 3, *, c=lambda x: (x or 1) and 0 < x < 9): return a and b and c(a)
log += [f(1), f(10), f(0), str(inspect.signature(f))[:12], f.__code__.co_argcount]
pick = sorted([3, 1, 2], key=lambda x: (x == 2 or x > 5) and -1 or x)
log += [pick, [(lambda y: (y or 1) and (y < 3 or y > 4) and y)(i) for i in range(6)]]
inner = [x for x in (lambda: [i for i in range(9) if (i or 1) and 1 < i < 5])() if x > 2 or x < 0]
log.append(inner)
log.append([x for x in (lambda k: (k and (k > 1 or k < 0)) or [3])(1) if x])
log.append([y for x in (0, 1, 2) for y in (lambda k: [0 <= k < 2, (k or 5) and k])(x)])
log.append([next(g) for g in [(lambda: (yield (1 or 2)) and (3 or (yield)))() for _ in (1, 2)]])
log.append([next(g) for g in (lambda: [(lambda: (yield (0 or 2) and 4) or 3)()])()])
log.append({k: v for k in range(3) for v in range(3) if (k or v) and 0 <= k < v or k == 2})
log.append({(a or b, a and b) for a in (0, 1) for b in (0, 1)})
log.append(any(x > 2 and x != 4 for x in range(4)) or all(x < 9 for x in range(4)))
log.append(list(filter(None, map(lambda x: x % 2 and not x % 3, range(9)))))
''',
    "closures, globals, del": '''
log = []
total = 0
def f():
    n = 0
    def g():
        nonlocal n
        global total
        n += 1
        total += n if n > 1 or total else 5
        return n < 3 and g()
    g()
    del g
    return n, locals().get("n")
log += [f(), total]
def bases(k):
    class G[T](list if k and (k > 1 or k < 0) and 0 < k < 9 else dict,
               metaclass=type if k or 1 else k):
        pass
    return G.__mro__[1], [x for x in ([1, 2] if (k or 3) and 0 < k < 9 else [(k or []) and 3]) if x]
log += [bases(0), bases(1), bases(2), bases(10)]
type Alias[T] = list[T] if 1 < 2 else None
def generic[T: (int, str)](x: T, y=1 or 2) -> bool:
    return isinstance(x, int) and x > y
log += [generic(1), generic(2), generic("s"), Alias.__value__]
''',
    "one-liners and strings": '''
log = []
if 1: log.append(f"{1 or 2} {(0 and 3)!r:>{4 or 5}} {'a' if log else 'b'}")
x = y = 1 if not log else 2; log += [x, y]
from os import devnull
with open(devnull) as a, (open(devnull) if a else None) as b: log.append(a is not b)
log[0 if x > 5 else 1] = x and y; log += [*(log or []), -x < 0, ~x == y or not -y]
while True:
    if len(log) > 3: break
print(*log, sep="; " if x or y else "", end="\\n")
''',
    "truth that raises": LOUD + '''
def f(a, b):
    return (L("a", a) or L("b", b)) and L("c")
for a in (True, False, None):
    for b in (True, False, None):
        try: log.append(f(a, b))
        except ValueError as e: log.append(str(e))
log.append(L("last", True) and L("unasked", None))
def deep():
    if (L("x", False) or
            L("y", None)) and L("z"):
        return 1
deep()
''',
    "an error in a condition": '''
log = []
def f(xs):
    return (xs
        and xs[0] < 3
        and (xs[1] or xs[7] == 2)
        and 0 <= xs[2] < 5)
log += [f([]), f([5]), f([1, 1, 1])]
f([1, 0])
''',
    "async with, async for, else": '''
import asyncio, contextlib
log = []
class Turn:
    def __init__(self, value=None): self.value = value
    def __await__(self):
        yield
        return self.value
@contextlib.asynccontextmanager
async def room(x):
    log.append(("in", x))
    try: yield x and x - 1
    finally: log.append(("out", x))
async def count(n):
    for i in range(n):
        yield i
        await Turn()
async def main(n):
    async with room(n) as a, room(a or 5) as b:
        async for i in count(n):
            if (i > 1 and b) or (i and await Turn(i == 9)): break
        else:
            log.append("ran out")
        return {i: [j async for j in count(i) if j or i] async for i in count(n) if i and i < 4}
for n in (0, 2, 3): log.append(asyncio.run(main(n)))
''',
    "match, nested": '''
import dataclasses
log = []
@dataclasses.dataclass
class P:
    x: int
    y: object = None
def f(v):
    match v:
        case P(x=0, y=(P() as inner)) if (n := inner.x) and n > 1 or n < 0: return ("inner", n)
        case P(x=a, y=[*_, b]) if a < (b or 9) < 10 and not (a == b): return (a, b)
        case (P(x=k) | [P(x=k)]) if k:
            match k:
                case 1 | 2: return "few"
                case int(m) if m > 5 and (m % 2 or m == 8): return m
            return "others"
        case {"a": 1, **rest} if rest and all(rest.values()): return rest
        case None | False: return v
    return "none"
for v in (P(0, P(2)), P(0, P(0)), P(1, [3]), P(1, [1]), P(2), [P(7)], P(8), P(6), {"a": 1, "b": 2},
          {"a": 1, "b": 0}, {"a": 1}, None, False, 0):
    log.append(f(v))
''',
    "walrus in every place": '''
log = []
def f(xs, *, k=(z := 1 or 2)):
    if any((hit := x) > 2 and hit != 4 for x in xs) or (hit := None): log.append(hit)
    pairs = [(a, b) for x in xs if (a := x % 3) or x > 3 for y in (1, 2) if (b := a and y) or a > 1]
    while (n := len(xs)) and (n > 2 or xs[0] and (last := xs[-1]) > 1): xs = xs[1:]
    assert (ok := n <= 2) or not ok, (bad := 1)
    return pairs, n, {(c := x): c and x for x in xs if (c := x)} , (lambda: (w := n) and w > 0)()
for xs in ([1, 2, 3, 4], [4], [0, 0, 0], []): log.append(f(list(xs)))
log += [z, [v := 3 or 4, v and v > 2]]
''',
    "threads": '''
import threading
log = []
go = threading.Barrier(4)
def g(n, out):
    go.wait()
    for i in range(300):
        if (i % n or i % 3 == 0) and (0 <= i % 5 < n or not i % 2) and i: out.append(i)
outs = [[] for _ in range(4)]
threads = [threading.Thread(target=g, args=(n + 1, out)) for n, out in enumerate(outs)]
for t in threads: t.start()
for t in threads: t.join()
log += outs
''',
    "an error in a lambda": '''
log = []
f = lambda x: (x or 1) and 0 < x < "s"
g = [y for y in (2, 1, 0)
     if 1 / (y + 1) > 0 and (y or 3)]
log.append(g)
f(2)
''',
}  # fmt: skip
