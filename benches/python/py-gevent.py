"""The model `py-gevent`: a greenlet for each unit of work, all on the one thread of gevent's hub.

The idiom is that of gevent's own documentation: `gevent.spawn` and `joinall`, `gevent.queue.Queue` ended by
`StopIteration`, `gevent.event.Event`, and sockets of `gevent.socket` that look like blocking ones. Nothing is patched:
a program that imports gevent's own modules needs no patch. Work for the CPU and reading files are done inline.
"""

import sys

from contestant import Contestant, hold, interpreter, main, work

try:
    import gevent
except ImportError as error:
    sys.exit(f"gevent cannot be imported ({error}): `pip install gevent` for {sys.executable}")


class Gevent(Contestant):
    """Greenlets of one hub."""

    about = "gevent.spawn per task, gevent.queue between them, gevent.socket, on one thread"
    uses = {"kind": "one-thread", "helpers": 0}

    def version(self):
        return f"gevent {gevent.__version__} on {interpreter()}"

    def spawn(self, case):
        return spawn_each(lambda i: case.salt + i, range(case.n))

    def switch(self, case):
        def unit(i):
            accumulator = case.salt + i
            for step in range(work.YIELDS):
                gevent.sleep(0)
                accumulator = work.mixed(accumulator, case.salt, step)
            return accumulator

        return spawn_each(unit, range(case.n))

    def pingpong(self, case):
        from gevent.queue import Queue

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
            clients.append(gevent.spawn(client, p, there, back))
            servers.append(gevent.spawn(server, there, back))
        gevent.joinall(clients + servers, raise_error=True)
        return [greenlet.value for greenlet in clients]

    def pipeline(self, case):
        from gevent.queue import Queue

        def source(out):
            for item in work.items(case.n, case.salt):
                out.put(item)
            out.put(StopIteration)

        def stage(number, inlet, out):
            for item in inlet:
                out.put(work.staged(item, number, case.salt))
            out.put(StopIteration)

        queues = [Queue(work.CAPACITY) for _ in range(len(work.STAGES) + 1)]
        greenlets = [gevent.spawn(source, queues[0])]
        greenlets += [gevent.spawn(stage, number, queues[number - 1], queues[number]) for number in work.STAGES]
        greenlets.append(gevent.spawn(list, queues[-1]))
        gevent.joinall(greenlets, raise_error=True)
        return greenlets[-1].value

    def primes(self, case):
        return spawn_each(lambda number: work.prime_result(number, case.salt), case.numbers)

    def files(self, case):
        return spawn_each(lambda path: work.file_result(path, case.salt), work.paths(case))

    def fetch(self, case):
        from gevent import socket

        address, *targets = case.texts

        def unit(target):
            with socket.socket() as connection:
                # Not `create_connection`: it looks even a numeric address up, by a thread of the resolver's pool.
                connection.connect(work.host_and_port(address))
                connection.sendall(work.request(target, address))
                reply = b"".join(iter(lambda: connection.recv(65536), b""))
            return work.reply_result(reply, target, case.salt)

        return spawn_each(unit, targets)

    def sleepers(self, case):
        from gevent.event import Event

        hold("base")
        gate, all_in = Event(), Event()
        counted_in = 0

        def unit(i):
            nonlocal counted_in
            counted_in += 1
            if counted_in == case.n:
                all_in.set()
            gate.wait()
            return case.salt + i

        greenlets = [gevent.spawn(unit, i) for i in range(case.n)]
        all_in.wait()
        hold("waiting")
        if any(greenlet.ready() for greenlet in greenlets):
            raise RuntimeError("a task finished before the gate was open")
        gate.set()
        return [greenlet.get() for greenlet in greenlets]

    def crash(self, case):
        def unit(i):
            return work.crash_result(i, case.numbers[0], case.scale, case.salt)

        greenlets = [gevent.spawn(unit, i) for i in range(work.TASKS)]
        gevent.joinall(greenlets)
        causes = [work.cause(greenlet.exception) for greenlet in greenlets if not greenlet.successful()]
        later = gevent.spawn(unit, work.TASKS).get()
        return [greenlet.value for greenlet in greenlets], "; ".join(causes), later


def spawn_each(function, arguments):
    """The results of `function(argument)`, each computed by a greenlet of its own."""
    greenlets = [gevent.spawn(function, argument) for argument in arguments]
    gevent.joinall(greenlets, raise_error=True)
    return [greenlet.value for greenlet in greenlets]


if __name__ == "__main__":
    main(Gevent())
