"""The model `py-threading`: a `threading.Thread` for each unit of work, `queue.Queue` between them.

The idiom is that of the pages `threading` and `queue` of Python's library reference. Where at most W tasks may run at a
time, W threads take them from a queue, as the example at the end of the page `queue` does.
"""

import threading
import time

from contestant import Contestant, hold, interpreter, main, work

MAPS = "each thread takes two of the memory mappings that vm.max_map_count allows"


class Threading(Contestant):
    """Threads, and queues between them."""

    about = "a threading.Thread per task, queue.Queue between them, as in the library reference"
    uses = {"kind": "threads"}
    most = {"sleepers": (10_000, MAPS)}
    slow = {"sleepers": (10_000, "full")}

    def version(self):
        return f"{interpreter()}, threading"

    def start(self, case):
        if case.workload != "crash":
            # A thread that fails would leave those that wait for it waiting for ever.
            threading.excepthook = end_program

    def spawn(self, case):
        results = [None] * case.n

        def unit(i):
            results[i] = case.salt + i

        join(start([(unit, i) for i in range(case.n)]))
        return results

    def switch(self, case):
        results = [None] * case.n

        def unit(i):
            accumulator = case.salt + i
            for step in range(work.YIELDS):
                time.sleep(0)
                accumulator = work.mixed(accumulator, case.salt, step)
            results[i] = accumulator

        join(start([(unit, i) for i in range(case.n)]))
        return results

    def pingpong(self, case):
        from queue import Queue

        results = [None] * case.n

        def client(p, there, back):
            x = case.salt + p
            for _ in range(work.TRIPS):
                there.put(x)
                answer = back.get()
                x = work.echoed(x, answer)
            results[p] = answer

        def server(there, back):
            for _ in range(work.TRIPS):
                back.put(there.get() + 1)

        calls = []
        for p in range(case.n):
            there, back = Queue(1), Queue(1)
            calls += [(client, p, there, back), (server, there, back)]
        join(start(calls))
        return results

    def pipeline(self, case):
        from queue import Queue

        results = []

        def source(out):
            for item in work.items(case.n, case.salt):
                out.put(item)
            out.put(None)

        def stage(number, inlet, out):
            while (item := inlet.get()) is not None:
                out.put(work.staged(item, number, case.salt))
            out.put(None)

        def sink(inlet):
            while (item := inlet.get()) is not None:
                results.append(item)

        queues = [Queue(work.CAPACITY) for _ in range(len(work.STAGES) + 1)]
        stages = [(stage, number, queues[number - 1], queues[number]) for number in work.STAGES]
        join(start([(source, queues[0]), *stages, (sink, queues[-1])]))
        return results

    def primes(self, case):
        return from_queue(work.prime_result, case.numbers, case)

    def files(self, case):
        return from_queue(work.file_result, work.paths(case), case)

    def fetch(self, case):
        address, *targets = case.texts
        results = [None] * case.n

        def unit(i, target):
            results[i] = work.fetch_result(target, address, case.salt)

        join(start([(unit, i, target) for i, target in enumerate(targets)]))
        return results

    def sleepers(self, case):
        hold("base")
        results = [None] * case.n
        # The gate is a lock that each passes on to the next. An Event wakes all at once, to queue for one lock under
        # one interpreter lock: with 10,000 threads that took 8 to 65 s instead of 1.5 s on two CPUs.
        counted_in, gate = threading.Semaphore(0), threading.Lock()
        gate.acquire()

        def unit(i):
            counted_in.release()
            with gate:
                results[i] = case.salt + i

        try:
            threads = start([(unit, i) for i in range(case.n)])
            for _ in range(case.n):
                counted_in.acquire()
            hold("waiting")
            if any(result is not None for result in results):
                raise RuntimeError("a task finished before the gate was open")
        finally:
            gate.release()
        join(threads)
        return results

    def crash(self, case):
        results = [None] * (work.TASKS + 1)
        causes = []
        # A thread's handle says nothing of an exception: this hook is all that threading offers.
        threading.excepthook = lambda args: causes.append(work.cause(args.exc_value))

        def unit(i):
            results[i] = work.crash_result(i, case.numbers[0], case.scale, case.salt)

        join(start([(unit, i) for i in range(work.TASKS)]))
        join(start([(unit, work.TASKS)]))
        return results[:-1], "threading.excepthook: " + "; ".join(causes), results[-1]


def start(calls):
    """Starts a thread for each call, a tuple of function and arguments."""
    threads = [threading.Thread(target=function, args=arguments) for function, *arguments in calls]
    for thread in threads:
        thread.start()
    return threads


def join(threads):
    for thread in threads:
        thread.join()


def from_queue(task, arguments, case):
    """`task(argument, salt)` of each argument, done by as many threads as there are workers."""
    from queue import Empty, SimpleQueue

    results = [None] * len(arguments)
    todo = SimpleQueue()
    for call in enumerate(arguments):
        todo.put(call)

    def worker():
        while True:
            try:
                i, argument = todo.get_nowait()
            except Empty:
                return
            results[i] = task(argument, case.salt)

    join(start([(worker,) for _ in range(case.workers)]))
    return results


def end_program(args):
    """The hook for an exception that a thread did not catch: reports it and ends the program as a failure."""
    import os
    import traceback

    traceback.print_exception(args.exc_type, args.exc_value, args.exc_traceback)
    os._exit(1)


if __name__ == "__main__":
    main(Threading())
