"""The model `py-threadpool`: `concurrent.futures.ThreadPoolExecutor`, one `submit` for each unit of work.

The idiom is that of the page `concurrent.futures` of Python's library reference. The pool has W threads where the units
need nothing of each other. Where all units must be alive at once, because they wait for each other, for a server or for
a gate, the pool has one thread for each: in a smaller one they would wait for ever for units that are not started.
"""

import time
from concurrent.futures import ThreadPoolExecutor

from contestant import Contestant, hold, interpreter, main, work

MAPS = "each waiting task needs a thread of the pool, of two memory mappings each (vm.max_map_count)"


class ThreadPool(Contestant):
    """A pool of threads, one future for each unit."""

    about = "ThreadPoolExecutor: W threads, or one per unit where units wait for each other"
    uses = {"kind": "threads"}
    most = {"sleepers": (10_000, MAPS)}
    slow = {"sleepers": (10_000, "full")}

    def version(self):
        return f"{interpreter()}, concurrent.futures"

    def start(self, case):
        threads = {
            "switch": case.n,
            "pingpong": 2 * case.n,
            "pipeline": len(work.STAGES) + 2,
            "fetch": case.n,
            "sleepers": case.n,
        }
        self.pool = ThreadPoolExecutor(max_workers=threads.get(case.workload, case.workers))

    def stop(self):
        self.pool.shutdown()

    def submit_each(self, function, calls):
        """The results of `function(*arguments)` for each tuple of arguments: all submitted, then all awaited."""
        futures = [self.pool.submit(function, *arguments) for arguments in calls]
        return [future.result() for future in futures]

    def spawn(self, case):
        return self.submit_each(lambda i: case.salt + i, ((i,) for i in range(case.n)))

    def switch(self, case):
        def unit(i):
            accumulator = case.salt + i
            for step in range(work.YIELDS):
                time.sleep(0)
                accumulator = work.mixed(accumulator, case.salt, step)
            return accumulator

        return self.submit_each(unit, ((i,) for i in range(case.n)))

    def pingpong(self, case):
        from queue import Queue

        def client(p, there, back):
            x = case.salt + p
            for _ in range(work.TRIPS):
                there.put(x)
                answer = back.get()
                x = work.echoed(x, answer)
            return answer

        def server(there, back):
            for _ in range(work.TRIPS):
                back.put(there.get() + 1)

        clients, servers = [], []
        for p in range(case.n):
            there, back = Queue(1), Queue(1)
            clients.append(self.pool.submit(client, p, there, back))
            servers.append(self.pool.submit(server, there, back))
        results = [future.result() for future in clients]
        for future in servers:
            future.result()
        return results

    def pipeline(self, case):
        from queue import Queue

        def source(out):
            for item in work.items(case.n, case.salt):
                out.put(item)
            out.put(None)

        def stage(number, inlet, out):
            while (item := inlet.get()) is not None:
                out.put(work.staged(item, number, case.salt))
            out.put(None)

        def sink(inlet):
            return list(iter(inlet.get, None))

        queues = [Queue(work.CAPACITY) for _ in range(len(work.STAGES) + 1)]
        futures = [self.pool.submit(source, queues[0])]
        for number in work.STAGES:
            futures.append(self.pool.submit(stage, number, queues[number - 1], queues[number]))
        futures.append(self.pool.submit(sink, queues[-1]))
        return [future.result() for future in futures][-1]

    def primes(self, case):
        return list(self.pool.map(lambda n: work.prime_result(n, case.salt), case.numbers))

    def files(self, case):
        return list(self.pool.map(lambda path: work.file_result(path, case.salt), work.paths(case)))

    def fetch(self, case):
        address, *targets = case.texts
        return list(self.pool.map(lambda target: work.fetch_result(target, address, case.salt), targets))

    def sleepers(self, case):
        import threading

        hold("base")
        # A lock that each passes on to the next, not an Event: see the same place in py-threading.
        counted_in, gate = threading.Semaphore(0), threading.Lock()
        gate.acquire()

        def unit(i):
            counted_in.release()
            with gate:
                return case.salt + i

        try:
            futures = [self.pool.submit(unit, i) for i in range(case.n)]
            for _ in range(case.n):
                counted_in.acquire()
            hold("waiting")
            if any(future.done() for future in futures):
                raise RuntimeError("a task finished before the gate was open")
        finally:
            gate.release()
        return [future.result() for future in futures]

    def crash(self, case):
        how, victim, salt = case.scale, case.numbers[0], case.salt
        futures = [self.pool.submit(work.crash_result, i, victim, how, salt) for i in range(work.TASKS)]
        results, cause = work.survivors(futures)
        return results, cause, self.pool.submit(work.crash_result, work.TASKS, victim, how, salt).result()


if __name__ == "__main__":
    main(ThreadPool())
