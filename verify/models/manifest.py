r"""The manifest of the models: what is run, what is expected, and the numbers that are pinned.

Rules of this file:

*   ``spec/tla/manifest.json`` has one row for every ``.cfg`` beside it and one for every control of
    ``spec/tla/controls.toml``. One without a row and a row without one are both faults: what is not
    registered is not checked.
*   A row pins the SHA-256 of its ``.cfg`` (a control: its good model's, and its own entry), the
    distinct and generated states, the diameter and, where coverage is on, the actions that
    generated a successor. ``dolphin check --update`` pins anew, on purpose; nothing else writes it.
*   A new ``.cfg`` introduces itself in its first comment lines, which ``--update`` reads:

        \* module: MCGate                   (else: the longest module whose name begins the file's)
        \* mode: liveness                   (else: safety)
        \* lane: exhaustive                 (else: fast)
        \* coverage: off                    (else: on)

*   A negative control is a row with ``expected`` other than "success", the violation's name, and
    ``of``, the good model that it edits. It has its model's module, mode and configuration.

Not here: running (``tlc.py``), judging (``checking.py``).
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from verify.models.tla import closure_of

MODES = ("safety", "liveness", "assumptions")
LANES = ("fast", "exhaustive")


class ManifestError(Exception):
    """Unreadable or inconsistent manifest; one line. Exit code 2."""


@dataclass(frozen=True)
class Row:
    """One model: a configuration, and everything expected of it."""

    name: str
    module: str
    cfg: str
    mode: str
    lane: str
    expected: str
    coverage: bool
    of: str = ""
    distinct: int = -1
    generated: int = -1
    diameter: int = -1
    cfg_sha256: str = ""
    control_sha256: str = ""
    actions: tuple[str, ...] = field(default_factory=tuple)
    seconds: float = 0.0

    @property
    def control(self) -> bool:
        """Whether the row is a negative control."""
        return self.expected != "success"

    @property
    def pinned(self) -> bool:
        """Whether counts were ever recorded."""
        return self.cfg_sha256 != ""


@dataclass(frozen=True)
class Configuration:
    """What of a ``.cfg`` matters here: the constants, and the names it checks."""

    constants: dict[str, str]
    invariants: tuple[str, ...]
    properties: tuple[str, ...]
    other: dict[str, str]


_KEYWORDS = {
    "SPECIFICATION", "INIT", "NEXT", "INVARIANT", "INVARIANTS", "PROPERTY", "PROPERTIES",
    "CONSTANT", "CONSTANTS", "CONSTRAINT", "CONSTRAINTS", "ACTION_CONSTRAINT",
    "ACTION_CONSTRAINTS", "SYMMETRY",    "VIEW", "CHECK_DEADLOCK", "ALIAS", "POSTCONDITION",
}  # fmt: skip
_CHECKS = ("INVARIANT", "INVARIANTS", "PROPERTY", "PROPERTIES")


def read_cfg(text: str) -> Configuration:
    """Return what a configuration's text sets, comments ignored."""
    text = re.sub(r"\(\*.*?\*\)", " ", text, flags=re.DOTALL)
    text = re.sub(r"\\\*[^\n]*", " ", text)
    sections: dict[str, list[str]] = {}
    section = ""
    for token in re.findall(r'"[^"]*"|<-|[A-Za-z_]\w*|-?\d+|\S', text):
        if token in _KEYWORDS:
            section = token
            sections.setdefault(section, [])
        else:
            sections.setdefault(section, []).append(token)

    def gathered(*names: str) -> tuple[str, ...]:
        return tuple(token for name in names for token in sections.get(name, []))

    constants: dict[str, str] = {}
    tokens = list(gathered("CONSTANT", "CONSTANTS"))
    starts = [i for i in range(len(tokens) - 1) if tokens[i + 1] in ("=", "<-")]
    for place, start in enumerate(starts):
        end = starts[place + 1] if place + 1 < len(starts) else len(tokens)
        operator = "" if tokens[start + 1] == "=" else "<- "
        constants[tokens[start]] = operator + " ".join(tokens[start + 2 : end])
    shown = ("CONSTANT", "CONSTANTS", "INVARIANT", "INVARIANTS", "PROPERTY", "PROPERTIES")
    others = {name: " ".join(words) for name, words in sections.items() if name not in shown}
    return Configuration(
        constants=constants,
        invariants=gathered("INVARIANT", "INVARIANTS"),
        properties=gathered("PROPERTY", "PROPERTIES"),
        other=others,
    )


def only_check(text: str, section: str, name: str) -> str:
    """Return a configuration's text with one check (INVARIANT or PROPERTY) in place of all."""
    kept: list[str] = []
    dropped = False
    for line in text.splitlines():
        if line.startswith("\\*"):
            continue
        word = line.split(maxsplit=1)[0] if line.strip() else ""
        if word in _KEYWORDS:
            dropped = word in _CHECKS
        if not dropped:
            kept.append(line)
    return "\n".join((*kept, section, f"    {name}")) + "\n"


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256, hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_manifest(folder: Path) -> list[Row]:
    """Return the rows of ``folder/manifest.json``. Raises ``ManifestError`` with file and row."""
    path = folder / "manifest.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise ManifestError(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    if not isinstance(data, dict) or not isinstance(data.get("models"), list):
        raise ManifestError(f"{path}: expected an object with a list 'models'")
    rows: list[Row] = []
    known = dict(Row.__annotations__)
    for number, item in enumerate(data["models"], 1):
        where = f"{path}: row {number}"
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise ManifestError(f"{where}: expected an object with a string 'name'")
        where += f" ({item['name']})"
        for key, value in item.items():
            if key not in known:
                raise ManifestError(f"{where}: unknown field '{key}'")
            kind = known[key]
            if key == "actions":
                fits = isinstance(value, list) and all(isinstance(name, str) for name in value)
            elif kind is float:
                fits = isinstance(value, int | float) and not isinstance(value, bool)
            else:
                fits = type(value) is kind
            if not fits:
                raise ManifestError(f"{where}: field '{key}' is {value!r}, expected {kind}")
        item = {**item, "actions": tuple(item.get("actions", ()))}
        try:
            row = Row(**item)
        except TypeError as error:
            raise ManifestError(f"{where}: {str(error).partition(') ')[2] or error}") from error
        if row.mode not in MODES:
            raise ManifestError(f"{where}: mode '{row.mode}', expected one of {', '.join(MODES)}")
        if row.lane not in LANES:
            raise ManifestError(f"{where}: lane '{row.lane}', expected one of {', '.join(LANES)}")
        if any(row.name == other.name for other in rows):
            raise ManifestError(f"{where}: the name is used twice")
        rows.append(row)
    return rows


def save_manifest(folder: Path, rows: list[Row]) -> None:
    """Write the manifest, models before their controls, by name; a row is a line.

    The table of counts in the folder's README.md follows it.
    """
    ordered = sorted(rows, key=lambda row: (row.of or row.name, row.control, row.name))
    listed = []
    for row in ordered:
        item = {key: value for key, value in asdict(row).items() if value not in ("", (), [])}
        listed.append(item)
    path = folder / "manifest.json"
    rows_of_text = ",\n".join(f"  {json.dumps(item)}" for item in listed)
    text = f'{{"models": [\n{rows_of_text}\n]}}\n'
    draft = path.with_suffix(".json.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    page = folder / "README.md"
    if page.is_file():
        said = page.read_text(encoding="utf-8")
        page.write_text(with_counts(said, ordered), encoding="utf-8")


BEGIN_COUNTS, END_COUNTS = "<!-- counts -->\n", "<!-- end of counts -->"


def with_counts(page: str, rows: list[Row]) -> str:
    """Return a page with its table of state counts as the rows pin them, if it has one."""
    lines = ["| model | lane | distinct | generated | depth |", "|---|---|---:|---:|---:|"]
    for row in rows:
        if not row.control and row.mode != "assumptions":
            cells = " | ".join(f"{n:,}" for n in (row.distinct, row.generated, row.diameter))
            lines.append(f"| `{row.name}` | {row.lane} | {cells} |")
    head, begin, rest = page.partition(BEGIN_COUNTS)
    _, end, tail = rest.partition(END_COUNTS)
    return head + begin + "\n".join(lines) + "\n" + end + tail if begin and end else page


_HEADER = re.compile(r"^\\\*\s*(module|mode|lane|coverage)\s*:\s*([\w.]+)", re.IGNORECASE)


def introduce(cfg: Path) -> Row:
    """Return the row of a ``.cfg`` that has none yet, from its first comment lines."""
    text = cfg.read_text(encoding="utf-8")
    said = {}
    for line in text.splitlines():
        match = _HEADER.match(line.strip())
        if match:
            said[match.group(1).lower()] = match.group(2)
    modules = sorted((path.stem for path in cfg.parent.glob("*.tla")), key=len, reverse=True)
    if "module" not in said:
        fitting = [name for name in modules if cfg.stem.startswith(name)]
        if not fitting:
            raise ManifestError(f"{cfg}: no module fits its name; say '\\* module: NAME' on top")
        said["module"] = fitting[0]
    return Row(
        name=cfg.stem,
        module=said["module"],
        cfg=cfg.name,
        mode=said.get("mode", "safety"),
        lane=said.get("lane", "fast"),
        expected="success",
        coverage=said.get("coverage", "on").lower() in ("on", "true"),
    )


def modules_of(folder: Path, module: str) -> dict[str, str]:
    """Return the text hashes of a module and all it extends or instances inside ``folder``."""
    return {name: sha256_of(folder / f"{name}.tla") for name in closure_of(folder, module)}


def repin(row: Row, **changes: object) -> Row:
    """Return the row with its pinned fields replaced."""
    return replace(row, **changes)  # type: ignore[arg-type]  # fields by name, checked by the tests
