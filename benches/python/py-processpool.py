"""The model `py-processpool`: `concurrent.futures.ProcessPoolExecutor`, one future for each unit of work.

The idiom is that of the page `concurrent.futures` of Python's library reference. The pool has W processes where the
units need nothing of each other, and one for each unit where they must be alive at once. Queues cannot be sent to a
worker as arguments; they reach it by the pool's `initializer`, when it starts. Therefore they are made with the pool,
before the clock starts, and used again by each iteration.

The start method is `fork` under every version of Python: the tutorials' programs run by it, for it was the default on
Linux up to Python 3.13.
"""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

from contestant import Contestant, interpreter, main, work

PER_UNIT = "units that must be alive at once need a process of the pool each, which take seconds to start"

shared = None
"""What the initializer gave this worker: the queues of its workload."""


class ProcessPool(Contestant):
    """A pool of processes, one future for each unit."""

    about = "ProcessPoolExecutor by fork: W processes, or one per unit where units wait for each other"
    uses = {"kind": "processes"}
    most = {
        "switch": (64, PER_UNIT),
        "pingpong": (16, PER_UNIT),
    }
    unable = {"sleepers": "a waiting task keeps its worker: a process for each, as py-multiprocessing measures them"}

    def version(self):
        return f"{interpreter()}, concurrent.futures"

    def start(self, case):
        context = multiprocessing.get_context("fork")
        processes, given = case.workers, None
        if case.workload in ("switch", "fetch"):
            processes = case.n
        elif case.workload == "pingpong":
            processes, given = 2 * case.n, [(context.Queue(1), context.Queue(1)) for _ in range(case.n)]
        elif case.workload == "pipeline":
            processes, given = len(work.STAGES) + 2, [context.Queue(work.CAPACITY) for _ in range(len(work.STAGES) + 1)]
        self.pool = ProcessPoolExecutor(processes, mp_context=context, initializer=share, initargs=(given,))

    def stop(self):
        self.pool.shutdown()

    def submit_each(self, function, calls):
        """The results of `function(*arguments)` for each tuple of arguments: all submitted, then all awaited."""
        futures = [self.pool.submit(function, *arguments) for arguments in calls]
        return [future.result() for future in futures]

    def spawn(self, case):
        return self.submit_each(add, ((case.salt, i) for i in range(case.n)))

    def switch(self, case):
        return self.submit_each(switcher, ((case.salt, i) for i in range(case.n)))

    def pingpong(self, case):
        clients, servers = [], []
        for p in range(case.n):
            clients.append(self.pool.submit(client, p, case.salt))
            servers.append(self.pool.submit(server, p))
        results = [future.result() for future in clients]
        for future in servers:
            future.result()
        return results

    def pipeline(self, case):
        futures = [self.pool.submit(source, case.n, case.salt)]
        futures += [self.pool.submit(stage, number, case.salt) for number in work.STAGES]
        futures.append(self.pool.submit(sink))
        return [future.result() for future in futures][-1]

    def primes(self, case):
        return self.submit_each(work.prime_result, ((number, case.salt) for number in case.numbers))

    def files(self, case):
        paths = work.paths(case)
        # Many small tasks go in chunks, as the reference advises; this many are what multiprocessing.Pool would make.
        chunk = -(-len(paths) // (4 * case.workers)) or 1
        return list(self.pool.map(work.file_result, paths, [case.salt] * len(paths), chunksize=chunk))

    def fetch(self, case):
        address, *targets = case.texts
        return self.submit_each(work.fetch_result, ((target, address, case.salt) for target in targets))

    def crash(self, case):
        how, victim, salt = case.scale, case.numbers[0], case.salt
        futures = []
        # Submitting fails as well, once the pool has noticed.
        try:
            for i in range(work.TASKS):
                futures.append(self.pool.submit(work.crash_result, i, victim, how, salt))
        except RuntimeError:
            pass
        results, cause = work.survivors(futures)
        try:
            later = self.pool.submit(work.crash_result, work.TASKS, victim, how, salt).result()
        except RuntimeError:
            later = None
        return results, cause, later


def share(given):
    """The pool's initializer: keeps what its workload shares."""
    global shared
    shared = given


def add(salt, i):
    return salt + i


def switcher(salt, i):
    accumulator = salt + i
    for step in range(work.YIELDS):
        os.sched_yield()
        accumulator = work.mixed(accumulator, salt, step)
    return accumulator


def client(p, salt):
    there, back = shared[p]
    x = salt + p
    for _ in range(work.TRIPS):
        there.put(x)
        answer = back.get()
        x = work.echoed(x, answer)
    return answer


def server(p):
    there, back = shared[p]
    for _ in range(work.TRIPS):
        back.put(there.get() + 1)


def source(n, salt):
    out = shared[0]
    for item in work.items(n, salt):
        out.put(item)
    out.put(None)


def stage(number, salt):
    inlet, out = shared[number - 1], shared[number]
    while (item := inlet.get()) is not None:
        out.put(work.staged(item, number, salt))
    out.put(None)


def sink():
    return list(iter(shared[-1].get, None))


if __name__ == "__main__":
    main(ProcessPool())
