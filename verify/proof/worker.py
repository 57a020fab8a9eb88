"""The prover's process, in ``.venv-proof``: one JSON line per job, one per result.

Rules of this file:

*   It runs under the prover's own Python, so it imports nothing of ours, and the prover by name at
    run time: it is no dependency of the project (``locks/proof.txt``).
*   A job is a file and the functions to verify in it (none: all of that file). While it runs, each
    member that the back end is done with is a line: its file, its line, whether it verified.
*   An answer says whether the prover translated the file, whether it verified it, and each error
    in one line. ``proved`` is true only for the back end's ``Success``. Whatever else happens, an
    exception too, is not proved.
*   The type checker's cache is thrown away before each job: it breaks the second run of a package.

Theory. The prover says "is a subtype of" by axioms that a solver instantiates where it meets their
triggers. Two of them it meets for every triple of types, and the kernel has forty. ``narrowed``
leaves their formulas and takes triggers away, so less is tried and nothing more follows:
what is proved with it is entailed by the same axioms (ADR 0075).

Several files in one process are safe here: the trap with them is in obligations of termination,
which are not used (termination is a test of the syntax).

Not here: which files, the time limit over a job (``prover.py`` ends the process).
"""

import importlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

jpype: Any = importlib.import_module("jpype")
nagini: Any = importlib.import_module("nagini_translation.main")
verifier: Any = importlib.import_module("nagini_translation.verifier")
config: Any = importlib.import_module("nagini_translation.lib.config")
jvmaccess: Any = importlib.import_module("nagini_translation.lib.jvmaccess")
util: Any = importlib.import_module("nagini_translation.lib.util")
types: Any = importlib.import_module("nagini_translation.translators.type_domain_factory")

BITS = 8
Tell = Callable[[dict[str, Any]], None]


class Reporter:
    """The back end's reporter: a line for each member of a Python file that it is done with."""

    def __init__(self, tell: Tell, asked: Path, base: Path) -> None:
        self.tell = tell
        self.asked = asked
        self.base = base

    def name(self) -> str:
        """Return the reporter's name, as the back end's interface wants it."""
        return "dolphin"

    def report(self, message: Any) -> None:
        """Take a message of the back end."""
        kind = str(message.getClass().getSimpleName())
        if not kind.startswith("Entity"):
            return
        member = message.concerning()
        try:
            file, line = Path(str(member.pos().file().toString())), int(member.pos().line())
        except AttributeError:  # a member without a place is none of ours
            return
        if file.suffix == ".py":
            verified = kind.startswith("EntitySuccess")
            seconds = round(message.verificationTime() / 1000, 2)
            said = {"file": within(file, self.asked, self.base), "line": line, "verified": verified}
            self.tell(said | {"seconds": seconds})


def within(file: Path, asked: Path, base: Path) -> str:
    """Return a proof file's path below ``base``: ``kernel/contract/gate.py``.

    The back end names the file that was asked by its name alone, and what it imports by a path
    below ``base``.
    """
    if len(file.parts) == 1 and file.name == asked.name:
        file = asked
    return file.relative_to(base).as_posix() if file.is_absolute() else file.as_posix()


def listed(sequence: Any) -> list[Any]:
    """Return a sequence of the back end as a list."""
    found = []
    each = sequence.iterator()
    while each.hasNext():
        found.append(each.next())
    return found


def narrowed(make: Callable[[Any, Any], Any], whole: bool) -> Callable[[Any, Any], Any]:
    """Return an axiom's maker with its first trigger alone; ``whole`` adds what it concludes to it.

    The formula stays: only where a solver tries it changes.
    """

    def made(self: Any, context: Any) -> Any:
        axiom = make(self, context)
        formula = axiom.exp()
        body = formula.exp()
        first = listed(listed(formula.triggers())[0].exps())
        if whole:
            first.append(body.right().exp())
        place, info = self.no_position(context), self.no_info(context)
        trigger = self.viper.Trigger(first, place, info)
        again = self.viper.Forall(listed(formula.variables()), [trigger], body, place, info)
        return self.viper.DomainAxiom(str(axiom.name()), again, place, info, self.type_domain)

    return made


def mend_tuples(folder: Path) -> None:
    """Mend what the prover's release says of tuples of seven, eight and nine: their length is 6.

    With it, whoever builds such a tuple has proved False. The text is a resource of the prover,
    in an environment that is ours; one that is neither the faulty nor the mended is refused.
    """
    file = folder / "tuple.sil"
    said = file.read_text("utf-8")
    mended = []
    for part in said.split("function tuple___create"):
        size = part[:1]
        if size in ("7", "8", "9"):
            part = part.replace("tuple___len__(result) == 6", f"tuple___len__(result) == {size}")
            if f"tuple___len__(result) == {size}" not in part:
                raise SystemExit(f"{file}: tuples of {size}: another text than of release 1.3.1")
        mended.append(part)
    text = "function tuple___create".join(mended)
    if text != said:
        draft = file.with_name(f"tuple.{os.getpid()}.draft")
        draft.write_text(text, "utf-8")
        draft.replace(file)


def narrow_types() -> None:
    """Take the triggers away that are met for every triple of types."""
    factory = types.TypeDomainFactory
    for name, whole in (
        ("create_transitivity_axiom", False),
        ("create_subtype_exclusion_propagation_axiom", True),
    ):
        setattr(factory, name, narrowed(getattr(factory, name), whole))


def said_by(error: Exception) -> str:
    """Return what an exception of the translation says, with the line it stands at."""
    line = getattr(getattr(error, "node", None), "lineno", None)
    place = "" if line is None else f" at line {line}"
    messages = getattr(error, "messages", None) or [getattr(error, "message", None) or error]
    return f"{type(error).__name__}{place}: {'; '.join(str(each) for each in messages)}"


def verified(jvm: Any, modules: Any, program: Any, job: dict[str, Any], tell: Tell) -> list[str]:
    """Run the back end; return its errors, one line each."""
    arguments: list[str] = job["arguments"]
    interface = jpype.JClass("viper.silver.reporter.Reporter")
    back_end = jvm.viper.silicon.MinimalSiliconFrontendAPI(
        jpype.JProxy(interface, inst=Reporter(tell, Path(job["file"]), Path(job["base"])))
    )
    wanted = verifier.build_silicon_backend_args(arguments, False, False)
    back_end.initialize(util.list_to_seq(wanted, jvm, jvm.java.lang.String))
    try:
        result = back_end.verify(program)
    finally:
        back_end.stop()
    if isinstance(result, jvm.viper.silver.verifier.Failure):
        found = []
        each = result.errors().toIterator()
        while each.hasNext():
            found.append(each.next())
        failure = verifier.Failure(found, jvm, modules, False)
        return sorted(
            {one if isinstance(one, str) else one.string(False, False) for one in failure.errors}
        ) or ["the prover gave no reason"]
    if not isinstance(result, getattr(jvm.viper.silver.verifier, "Success$")):
        return [f"the prover ended with {result}"]
    return []


def prove(jvm: Any, job: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Translate and verify one file."""
    for cache in Path.cwd().glob(".mypy_cache*"):
        shutil.rmtree(cache, ignore_errors=True)
    began = time.monotonic()
    answer: dict[str, Any] = {"translated": False, "proved": False, "errors": []}
    try:
        modules, program = nagini.translate(
            job["file"],
            jvm,
            BITS,
            selected=set(job["select"]),
            base_dir=job["base"],
            ignore_global=True,
        )
        answer["translated"] = True
        answer["errors"] = verified(jvm, modules, program, job, tell)
        answer["proved"] = not answer["errors"]
    except Exception as error:  # noqa: BLE001  (whatever it is, the job is not proved)
        answer["errors"] = [said_by(error)]
    answer["seconds"] = round(time.monotonic() - began, 2)
    return answer


def main() -> None:
    """Answer each line of standard input; the prover's own prints go to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    mend_tuples(Path(nagini.__file__).parent / "resources")
    jvm = jvmaccess.JVM(config.classpath)
    narrow_types()

    def tell(line: dict[str, Any]) -> None:
        try:
            answers.write(json.dumps(line) + "\n")
            answers.flush()
        except BrokenPipeError:  # who asked is gone (kill -9): nobody waits for the rest
            os._exit(1)

    for line in sys.stdin:
        tell(prove(jvm, json.loads(line), tell))


if __name__ == "__main__":
    main()
