"""Negative controls: ``spec/tla/controls.toml``, read, and applied to copies of the models.

Rules of this file:

*   A control is a good model with one rule of it edited (``edits.py``), under that model's own
    configuration with one check in place of all: the promise that must then be violated. So no
    other promise can supply the violation, and the model that everybody reads has no switches.
*   The table stands beside the models it speaks of. What is wrong with it is one line that names
    the entry. An edit that no control uses, or that changes nothing of what its control runs, is
    wrong too.
*   What TLC must find, with the counts, is the manifest's to pin, as it is for the good models; a
    control's row also pins the hash of its entry.

Not here: running (``checking.py``); what a mutant is (``mutation/spec_mutants.py``).
"""

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from verify.models.edits import Edit, EditError, edited
from verify.models.manifest import ManifestError, Row, only_check, read_cfg
from verify.models.tla import TlaError, closure_of, read_module

TABLE = "controls.toml"


@dataclass(frozen=True)
class Control:
    """A negative control: the good model, what is edited, what TLC must find violated, and why."""

    name: str
    of: str
    edits: tuple[Edit, ...]
    violates: str
    why: str

    @property
    def sha256(self) -> str:
        """The hash of all that the entry says, its edits' texts included, layout apart."""
        said = asdict(self)
        del said["why"]
        for edit in said["edits"]:
            edit["old"], edit["new"] = " ".join(edit["old"].split()), " ".join(edit["new"].split())
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def by_module(self) -> dict[str, list[Edit]]:
        """Return the edits of each module."""
        found: dict[str, list[Edit]] = {}
        for edit in self.edits:
            found.setdefault(edit.module, []).append(edit)
        return found


def _texts(entry: Any, wanted: tuple[str, ...], where: str) -> dict[str, str]:
    if not isinstance(entry, dict) or set(entry) != set(wanted):
        raise ManifestError(f"{where}: expected the fields {', '.join(wanted)}")
    for key in wanted:
        if not isinstance(entry[key], str):
            raise ManifestError(f"{where}: field '{key}' is {entry[key]!r}, expected a text")
    return entry


def _edits(name: str, listed: Any, where: str) -> tuple[Edit, ...]:
    if not isinstance(listed, list) or not listed:
        raise ManifestError(f"{where}: expected a list of edits")
    found = []
    for number, entry in enumerate(listed, 1):
        said = _texts(entry, ("at", "old", "new"), f"{where}, place {number}")
        module, bang, definition = said["at"].partition("!")
        if not bang or not module or not definition:
            raise ManifestError(f"{where}: 'at' is {said['at']!r}, expected Module!Definition")
        found.append(Edit(name, module, definition, said["old"], said["new"]))
    return tuple(found)


def load_controls(folder: Path) -> dict[str, Control]:
    """Return the controls of a folder of models by name; none where it has no table.

    Raises ``ManifestError`` with file and entry.
    """
    path = folder / TABLE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: {error}") from error
    return dict(_read(path, text))


@lru_cache(maxsize=8)
def _read(path: Path, text: str) -> dict[str, Control]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{path}: not TOML: {error}") from error
    for key in data:
        if key not in ("edits", "controls"):
            raise ManifestError(f"{path}: unknown table [{key}]")
    edits = {
        name: _edits(name, listed, f"{path}: edit {name}")
        for name, listed in data.get("edits", {}).items()
    }
    found: dict[str, Control] = {}
    used: set[str] = set()
    for name, entry in data.get("controls", {}).items():
        where = f"{path}: control {name}"
        names = entry.pop("edits", None) if isinstance(entry, dict) else None
        if not isinstance(names, list) or not names:
            raise ManifestError(f"{where}: 'edits' is {names!r}, expected a list of names")
        for one in names:
            if one not in edits:
                raise ManifestError(f"{where}: there is no edit {one!r}")
        used.update(names)
        said = _texts(entry, ("of", "violates", "why"), where)
        parts = tuple(edit for one in names for edit in edits[one])
        found[name] = Control(name, said["of"], parts, said["violates"], said["why"])
    for name in edits:
        if name not in used:
            raise ManifestError(f"{path}: edit {name}: no control uses it")
    return found


def row_of(control: Control, twin: Row) -> Row:
    """Return the manifest's row of a control that has none yet, from its good model's."""
    return Row(
        name=control.name, module=twin.module, cfg=twin.cfg, mode=twin.mode, lane="fast",
        expected=control.violates, coverage=False, of=control.of,
    )  # fmt: skip


def control_texts(folder: Path, control: Control, module: str) -> dict[str, str]:
    """Return the texts of a root module and all it builds on, the control's edits made.

    Raises ``ManifestError`` where an edit does not fit, or is of a module that is not among them.
    """
    texts = {
        name: (folder / f"{name}.tla").read_text(encoding="utf-8")
        for name in closure_of(folder, module)
    }
    for name, edits in control.by_module().items():
        if name not in texts:
            raise ManifestError(
                f"{TABLE}: control {control.name}: edit {edits[0].name} is of {name}, "
                f"which {module} does not build on"
            )
        try:
            texts[name] = edited(read_module(name, texts[name]), edits)
        except (EditError, TlaError) as error:
            raise ManifestError(f"{TABLE}: control {control.name}: {error}") from error
    return texts


def control_cfg(folder: Path, control: Control, row: Row) -> str:
    """Return the configuration of a control: its good model's, with one check in place of all."""
    text = (folder / row.cfg).read_text(encoding="utf-8")
    good = read_cfg(text)
    if control.violates in good.invariants:
        return only_check(text, "INVARIANT", control.violates)
    if control.violates in good.properties:
        return only_check(text, "PROPERTY", control.violates)
    raise ManifestError(
        f"{TABLE}: control {control.name}: violates {control.violates}, "
        f"which {row.cfg} does not check"
    )


def write_control(folder: Path, control: Control, row: Row, place: Path) -> tuple[Path, Path]:
    """Write the edited copy of the models into ``place``; return root module and configuration."""
    for name, text in control_texts(folder, control, row.module).items():
        (place / f"{name}.tla").write_text(text, encoding="utf-8")
    cfg = place / f"{control.name}.cfg"
    cfg.write_text(control_cfg(folder, control, row), encoding="utf-8")
    return place / f"{row.module}.tla", cfg
