"""The prover's side: one warm process of ``.venv-proof`` that answers jobs, one JSON line each.

Rules of this file:

*   It runs under the prover's own Python, so it imports nothing of ours, and the prover by name at
    run time: it is no dependency of the project (``locks/proof.txt``).
*   A job is a file and the functions to verify in it (none: all). An answer says whether the prover
    translated the file, whether it verified it, and each error in one line.
*   ``proved`` is true only for a result of the prover's class ``Success``. Whatever else happens,
    an exception too, is not proved.
*   The type checker's cache is thrown away before each job: it breaks the second run of a package.

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
from pathlib import Path
from typing import Any

nagini: Any = importlib.import_module("nagini_translation.main")
verifier: Any = importlib.import_module("nagini_translation.verifier")
config: Any = importlib.import_module("nagini_translation.lib.config")
jvmaccess: Any = importlib.import_module("nagini_translation.lib.jvmaccess")

BITS = 8


def said_by(error: Exception) -> str:
    """Return what an exception of the translation says, with the line it stands at."""
    line = getattr(getattr(error, "node", None), "lineno", None)
    place = "" if line is None else f" at line {line}"
    messages = getattr(error, "messages", None) or [getattr(error, "message", None) or error]
    return f"{type(error).__name__}{place}: {'; '.join(str(each) for each in messages)}"


def prove(jvm: Any, job: dict[str, Any]) -> dict[str, Any]:
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
        result = nagini.verify(modules, program, job["file"], jvm, job["arguments"])
        answer["proved"] = type(result) is verifier.Success
        if not answer["proved"]:
            errors = getattr(result, "errors", ["the prover gave no result"])
            answer["errors"] = sorted(
                {each if isinstance(each, str) else each.string(False, False) for each in errors}
            )
    except Exception as error:  # noqa: BLE001  (whatever it is, the job is not proved)
        answer["errors"] = [said_by(error)]
    answer["seconds"] = round(time.monotonic() - began, 2)
    return answer


def main() -> None:
    """Answer each line of standard input; the prover's own prints go to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    jvm = jvmaccess.JVM(config.classpath)
    for line in sys.stdin:
        answers.write(json.dumps(prove(jvm, json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
