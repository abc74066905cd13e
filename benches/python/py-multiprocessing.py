"""The model `py-multiprocessing`: a `multiprocessing.Process` for each unit of work, and a `Pool` for CPU-bound work.

The idiom is that of the page `multiprocessing` of Python's library reference, which the tutorials follow: a Process per
unit whose result comes back through a queue, a Pipe between two that talk to each other, a Queue where there are
stages, a Pool of W for CPU-bound work.

The start method is `fork` under every version of Python: the tutorials' programs run by it, for it was the default on
Linux up to Python 3.13.
"""

import multiprocessing
import os

from contestant import Contestant, hold, interpreter, main, work

context = multiprocessing.get_context("fork")


class Multiprocessing(Contestant):
    """Processes, and pipes and queues between them."""

    about = "a multiprocessing.Process per task by fork, a Pool of W for CPU-bound work, as in the library reference"
    uses = {"kind": "processes"}
    most = {
        "spawn": (100, "a process takes 1 to 2 ms to start and end, so 1,000 of them take seconds"),
        "sleepers": (1_000, "each waiting task is a process of some MiB, and takes 1 to 2 ms to start"),
    }
    slow = {"sleepers": (1_000, "default")}

    pool = None

    def version(self):
        return f"{interpreter()}, multiprocessing"

    def start(self, case):
        if case.workload in ("primes", "files"):
            self.pool = context.Pool(case.workers)

    def stop(self):
        if self.pool is not None:
            self.pool.close()
            self.pool.join()

    def spawn(self, case):
        return each(add, [(case.salt, i) for i in range(case.n)])

    def switch(self, case):
        return each(switcher, [(case.salt, i) for i in range(case.n)])

    def pingpong(self, case):
        # A connection of a Pipe that ends in both processes is two channels, the smallest that this model has.
        pipes = [context.Pipe() for _ in range(case.n)]
        servers = start([(server, their_end) for _, their_end in pipes])
        results = each(client, [(our_end, case.salt, p) for p, (our_end, _) in enumerate(pipes)])
        join(servers)
        return results

    def pipeline(self, case):
        queues = [context.Queue(work.CAPACITY) for _ in range(len(work.STAGES) + 1)]
        calls = [(source, queues[0], case.n, case.salt)]
        calls += [(stage, number, queues[number - 1], queues[number], case.salt) for number in work.STAGES]
        receiver, sender = context.Pipe(duplex=False)
        processes = start([*calls, (sink, queues[-1], sender)])
        results = receiver.recv()
        join(processes)
        return results

    def primes(self, case):
        return self.pool.starmap(work.prime_result, [(number, case.salt) for number in case.numbers])

    def files(self, case):
        return self.pool.starmap(work.file_result, [(path, case.salt) for path in work.paths(case)])

    def fetch(self, case):
        address, *targets = case.texts
        return each(work.fetch_result, [(target, address, case.salt) for target in targets])

    def sleepers(self, case):
        hold("base")
        counted_in, gate, results = context.Semaphore(0), context.Semaphore(0), context.SimpleQueue()
        processes = start([(sleeper, case.salt, i, counted_in, gate, results) for i in range(case.n)])
        for _ in range(case.n):
            counted_in.acquire()
        hold("waiting")
        if not all(process.is_alive() for process in processes):
            raise RuntimeError("a task finished before the gate was open")
        for _ in range(case.n):
            gate.release()
        return gather(processes, results)

    def crash(self, case):
        how, victim, salt = case.scale, case.numbers[0], case.salt
        started = [crash_task(i, victim, how, salt) for i in range(work.TASKS)]
        outcomes = [crash_outcome(*handles) for handles in started]
        results = [result for result, _ in outcomes]
        later, _ = crash_outcome(*crash_task(work.TASKS, victim, how, salt))
        return results, f"exit code {outcomes[victim][1]}", later


def start(calls):
    """Starts a process for each call, a tuple of function and arguments."""
    # Daemons, so that none outlives a parent that fails.
    processes = [context.Process(target=function, args=arguments, daemon=True) for function, *arguments in calls]
    for process in processes:
        process.start()
    return processes


def join(processes):
    for process in processes:
        process.join()
        process.close()


def each(function, calls):
    """The results of `function(*arguments)`, each computed by a process of its own."""
    results = context.SimpleQueue()
    return gather(start([(put_result, results, i, function, arguments) for i, arguments in enumerate(calls)]), results)


def put_result(results, i, function, arguments):
    try:
        results.put((i, function(*arguments)))
    except Exception as error:
        # Told, because a queue does not notice that one of those who put has died: the parent would wait for ever.
        results.put((i, error))


def gather(processes, results):
    """As many results as there are processes, in order of the processes, which are then joined."""
    # First the results, then the join: a process cannot end before what it put into a full pipe is taken out.
    found = dict(results.get() for _ in processes)
    for result in found.values():
        if isinstance(result, Exception):
            raise result
    join(processes)
    return [found[i] for i in range(len(processes))]


def add(salt, i):
    return salt + i


def switcher(salt, i):
    accumulator = salt + i
    for step in range(work.YIELDS):
        os.sched_yield()
        accumulator = work.mixed(accumulator, salt, step)
    return accumulator


def client(connection, salt, p):
    x = salt + p
    for _ in range(work.TRIPS):
        connection.send(x)
        answer = connection.recv()
        x = work.echoed(x, answer)
    return answer


def server(connection):
    for _ in range(work.TRIPS):
        connection.send(connection.recv() + 1)


def source(out, n, salt):
    for item in work.items(n, salt):
        out.put(item)
    out.put(None)


def stage(number, inlet, out, salt):
    while (item := inlet.get()) is not None:
        out.put(work.staged(item, number, salt))
    out.put(None)


def sink(inlet, results):
    results.send(list(iter(inlet.get, None)))


def sleeper(salt, i, counted_in, gate, results):
    counted_in.release()
    gate.acquire()
    results.put((i, salt + i))


def crash_task(i, victim, how, salt):
    """Starts one task of `crash`, with a pipe of its own for the result: a shared one might break with the victim."""
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=send_crash_result, args=(sender, i, victim, how, salt), daemon=True)
    process.start()
    sender.close()
    return process, receiver


def send_crash_result(sender, i, victim, how, salt):
    sender.send(work.crash_result(i, victim, how, salt))


def crash_outcome(process, receiver):
    """What one task of `crash` left: its result, or None, and the exit code of its process."""
    result = None
    if receiver.poll(work.PATIENCE_SECONDS):
        try:
            result = receiver.recv()
        except EOFError:
            pass
    process.join()
    return result, process.exitcode


if __name__ == "__main__":
    main(Multiprocessing())
