r"""Named edits of a TLA+ module: one place of one definition, its old text, its new text.

Theory. A negative control asks what a model would say if one rule of it were another. The rule is
not switched off by a constant, which everybody who reads the model would have to read past: the
text of one definition is replaced, in a copy. ``Gate!CloseOrder``: ``Sub(reserved_notional,
ReservedOf(w))`` becomes ``reserved_notional``.

Rules of this file:

*   The old text is looked for as a row of tokens within the definition, so layout and comments do
    not count. It must stand there exactly once: an edit that does not is an ``EditError`` which
    names it, never a control that silently changes nothing.
*   All edits of a module are made of the same original text and must not overlap, so their order
    does not matter.
*   An edit keeps the column of every token that it does not touch (``in_place``): the columns of a
    bulleted list are its syntax. Lines of a new text are placed under its first.
*   An empty new text leaves the old text out, its bullet or connective with it where the old text
    names it.

Not here: the table of controls (``controls.py``); the mutants, which find their edits by
themselves and make them by the same functions (``mutation/spec_mutants.py``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from verify.models.tla import Module, TlaError, read_module, tokens_of


class EditError(ValueError):
    """An edit that does not fit its module; one line that names it. Exit code 2."""


@dataclass(frozen=True)
class Edit:
    """One replacement: the edit's name, module, definition, and both texts."""

    name: str
    module: str
    definition: str
    old: str
    new: str

    @property
    def place(self) -> str:
        """Module and definition, as ``Gate!CloseOrder``."""
        return f"{self.module}!{self.definition}"


def blank(text: str) -> str:
    """Return blanks in the place of a text, its line breaks kept."""
    return re.sub(r"[^\n]", " ", text)


def column_of(text: str, offset: int) -> int:
    """Return the column of an offset, from 0."""
    return offset - (text.rfind("\n", 0, offset) + 1)


def in_place(text: str, start: int, end: int, new: str) -> str:
    """Return ``new``, padded so that what stands at ``end`` keeps its column."""
    last = new.rpartition("\n")
    here = len(last[2]) + (0 if last[1] else column_of(text, start))
    if text[end : end + 1] in ("\n", ""):
        return new
    if here <= column_of(text, end) and "\n" not in text[start:end]:
        return new + " " * (column_of(text, end) - here)
    return new + "\n" + " " * column_of(text, end)


def span_of(module: Module, edit: Edit) -> tuple[int, int]:
    """Return where the old text of an edit stands. Raises ``EditError``."""
    where = f"edit {edit.name}: {edit.place}"
    definition = module.definitions.get(edit.definition)
    if definition is None:
        raise EditError(f"{where}: there is no such definition")
    wanted = [token.text for token in tokens_of(edit.old, f"edit {edit.name}")]
    if not wanted:
        raise EditError(f"{where}: its old text is empty")
    inside = [
        token
        for token in tokens_of(module.text, module.name)
        if definition.start <= token.start < definition.body.end
    ]
    found = [
        (inside[at].start, inside[at + len(wanted) - 1].end)
        for at in range(len(inside) - len(wanted) + 1)
        if [token.text for token in inside[at : at + len(wanted)]] == wanted
    ]
    if len(found) != 1:
        times = "not there" if not found else f"there {len(found)} times"
        raise EditError(
            f"{where}: its old text is {times}, expected exactly once: {' '.join(edit.old.split())}"
        )
    return found[0]


def edited(module: Module, edits: Sequence[Edit]) -> str:
    """Return a module's text with edits of it made. Raises ``EditError``."""
    spans = sorted(((*span_of(module, edit), edit) for edit in edits), key=lambda one: one[:2])
    text = module.text
    for (_, end, first), (start, _, second) in pairwise(spans):
        if start < end:
            raise EditError(f"edits {first.name} and {second.name} of {second.place} overlap")
    for start, end, edit in reversed(spans):
        under = "\n" + " " * column_of(module.text, start)
        new = in_place(module.text, start, end, edit.new.strip("\n").replace("\n", under))
        text = text[:start] + new + text[end:]
    try:
        read_module(module.name, text)
    except TlaError as error:
        names = ", ".join(dict.fromkeys(edit.name for edit in edits))
        raise EditError(
            f"edit {names}: what it makes of {module.name} cannot be read: {error}"
        ) from error
    return text
