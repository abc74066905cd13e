"""What every Python contestant of the comparison shares.

A contestant is a program that the comparison engine starts anew for each cell. It reads one request, a line of JSON,
from standard input, does the work that is asked for, and answers in lines of JSON on file descriptor 3. The protocol is
told in `crates/compare/src/protocol.rs`; this package is its Python side, so that a model's own file shows the model's
idiom and nothing else:

    answers   the answer descriptor, the digest, the corruption that the engine's tests ask for
    measure   warm-up and timed batches
    work      the pieces of the workloads that are the same in every model
    limits    which errors are limits of the machine

A model is a subclass of `Contestant` with one method per workload. It is only taken up when its file lies beside this
package and is called `py-*.py`; the file's stem is the model's name.

Start-up is measured as well, so nothing is imported before it is needed.
"""

import os
import sys

from contestant import answers

VERSION = 1
"""The version of the protocol."""

WORKLOADS = ("spawn", "switch", "pingpong", "pipeline", "primes", "files", "fetch", "sleepers", "crash")
"""What the comparison measures, in the order in which the abilities are told."""


class Case:
    """One cell's order, as far as a workload needs to know it."""

    __slots__ = ("workload", "scale", "n", "workers", "salt", "numbers", "texts")

    def __init__(self, request):
        self.workload = request["workload"]
        self.scale = request["scale"]
        self.n = request["n"]
        self.workers = request["workers"]
        self.salt = request["input"]["salt"]
        self.numbers = request["input"].get("numbers", [])
        self.texts = request["input"].get("texts", [])


class Contestant:
    """One model. Subclasses have one method per workload: `workload(case)` runs one iteration of it.

    It returns one number per task, in order of the tasks. Two differ: `sleepers` calls `hold` twice on its way, and
    `crash` returns a triple `(results, cause, later)`: the results with None for each lost task, what the handle said
    of the lost one, and the result of a task that was started after the crash (None if it could not be had).
    """

    about = ""
    """One line: what it is and whose idiom it uses."""

    uses = {"kind": "threads"}
    """Where the work runs; the engine watches that it does."""

    unable = {}
    """Why it cannot, for each workload that it cannot do."""

    most = {}
    """The largest scale number and the reason why no more, for each workload that has one."""

    slow = {}
    """From which scale number on a workload takes it long, and the smallest profile that this fits into."""

    def version(self):
        """What is measured, with its version."""
        return interpreter()

    def start(self, case):
        """Makes what has to stand before the clock starts, such as a pool. Not timed."""

    def stop(self):
        """Takes it down again; no thread that works and no child may be left. Not timed."""

    def repeat(self, workload, case, times):
        """Runs `times` iterations and returns the results of each. This is what the clock is around."""
        return [workload(case) for _ in range(times)]


def main(contestant):
    """Answers the one request that this process was started for."""
    import json

    line = sys.stdin.readline()
    if not line:
        sys.exit("no request on standard input: this program is started by `cargo xtask compare`")
    request = json.loads(line)
    if request["call"] == "describe":
        answers.answer(t="description", **description(contestant))
    elif request["call"] == "run":
        run(contestant, request)
    else:
        sys.exit(f"call {request['call']!r} is not for a contestant: it answers describe and run")


def description(contestant):
    """What the contestant says of itself."""
    abilities = []
    for workload in WORKLOADS:
        ability = {"workload": workload, "forms": ["idiomatic"]}
        if workload in contestant.unable:
            ability = {"workload": workload, "forms": [], "why": contestant.unable[workload]}
        elif workload in contestant.most:
            ability["most"], ability["most_why"] = contestant.most[workload]
        if workload in contestant.slow:
            start, profile = contestant.slow[workload]
            ability["slow"] = {"from": start, "profile": profile}
        abilities.append(ability)
    return {
        "v": VERSION,
        "model": os.path.splitext(os.path.basename(sys.argv[0]))[0],
        "version": contestant.version(),
        "about": contestant.about,
        "uses": contestant.uses,
        "abilities": abilities,
    }


def run(contestant, request):
    """Does the work. Whatever goes wrong ends this process, with its children, whatever its threads still wait for."""
    from contestant import limits, measure

    if request["v"] != VERSION:
        sys.exit(f"the request is of protocol {request['v']}, this contestant speaks {VERSION}: update benches/python")
    case = Case(request)
    workload = getattr(contestant, case.workload, None)
    if workload is None or case.workload in contestant.unable:
        sys.exit(f"workload {case.workload!r} is not among this contestant's abilities: ask it to describe itself")
    try:
        contestant.start(case)
        answers.answer(t="ready")
        kind = {"sleepers": measure.memory, "crash": measure.outcome}.get(case.workload, measure.time)
        kind(contestant, workload, case, request["timing"])
        answers.answer(t="done")
        sys.stdin.read()
        contestant.stop()
    except Exception as error:
        why = limits.limit(error)
        if why is not None:
            answers.answer(t="limit", why=why)
            sys.stdin.read()
        else:
            import traceback

            traceback.print_exc()
            sys.stderr.flush()
        limits.end_children()
        os._exit(1 if why is None else 0)


def hold(what):
    """Lets the engine read the memory figures: answers `hold` and waits for its line on standard input."""
    answers.answer(t="hold", what=what)
    if not sys.stdin.readline():
        raise EOFError(f"the engine left while {what!r} was held")


def interpreter():
    """The interpreter that runs this, with its version, such as `CPython 3.11.7`."""
    number = ".".join(map(str, sys.version_info[:3]))
    pypy = getattr(sys, "pypy_version_info", None)
    if pypy is not None:
        return f"PyPy {'.'.join(map(str, pypy[:3]))} (Python {number})"
    free = not getattr(sys, "_is_gil_enabled", lambda: True)()
    return f"CPython {number}{' free-threaded' if free else ''}"
