"""The model `py-asyncio`: an `asyncio` task for each unit of work, all on the one thread of the event loop.

The idiom is that of the pages `asyncio-task`, `asyncio-queue` and `asyncio-stream` of Python's library reference.
Work for the CPU and reading files are done inline by the tasks: handing them to a pool would measure the pool.
"""

import asyncio

from contestant import Contestant, hold, interpreter, main, work


class Asyncio(Contestant):
    """Tasks of one event loop. Each workload is a coroutine function."""

    about = "asyncio tasks by gather, asyncio.Queue between them, streams, on one thread"
    uses = {"kind": "one-thread", "helpers": 0}

    def version(self):
        return f"{interpreter()}, asyncio"

    def start(self, case):
        self.loop = asyncio.new_event_loop()

    def stop(self):
        self.loop.close()

    def repeat(self, workload, case, times):
        # The loop is entered once per batch, so that entering it is not what is measured.
        async def batch():
            return [await workload(case) for _ in range(times)]

        return self.loop.run_until_complete(batch())

    async def spawn(self, case):
        async def unit(i):
            return case.salt + i

        return await asyncio.gather(*(unit(i) for i in range(case.n)))

    async def switch(self, case):
        async def unit(i):
            accumulator = case.salt + i
            for step in range(work.YIELDS):
                await asyncio.sleep(0)
                accumulator = work.mixed(accumulator, case.salt, step)
            return accumulator

        return await asyncio.gather(*(unit(i) for i in range(case.n)))

    async def pingpong(self, case):
        async def client(p, there, back):
            x = case.salt + p
            for _ in range(work.TRIPS):
                await there.put(x)
                answer = await back.get()
                x = work.echoed(x, answer)
            return answer

        async def server(there, back):
            for _ in range(work.TRIPS):
                await back.put(await there.get() + 1)

        units = []
        for p in range(case.n):
            there, back = asyncio.Queue(1), asyncio.Queue(1)
            units += [client(p, there, back), server(there, back)]
        return (await asyncio.gather(*units))[::2]

    async def pipeline(self, case):
        async def source(out):
            for item in work.items(case.n, case.salt):
                await out.put(item)
            await out.put(None)

        async def stage(number, inlet, out):
            while (item := await inlet.get()) is not None:
                await out.put(work.staged(item, number, case.salt))
            await out.put(None)

        async def sink(inlet):
            arrived = []
            while (item := await inlet.get()) is not None:
                arrived.append(item)
            return arrived

        queues = [asyncio.Queue(work.CAPACITY) for _ in range(len(work.STAGES) + 1)]
        stages = [stage(number, queues[number - 1], queues[number]) for number in work.STAGES]
        return (await asyncio.gather(source(queues[0]), *stages, sink(queues[-1])))[-1]

    async def primes(self, case):
        async def unit(number):
            return work.prime_result(number, case.salt)

        return await asyncio.gather(*map(unit, case.numbers))

    async def files(self, case):
        async def unit(path):
            return work.file_result(path, case.salt)

        return await asyncio.gather(*map(unit, work.paths(case)))

    async def fetch(self, case):
        address, *targets = case.texts
        host, port = work.host_and_port(address)

        async def unit(target):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(work.request(target, address))
            reply = await reader.read()
            writer.close()
            await writer.wait_closed()
            return work.reply_result(reply, target, case.salt)

        return await asyncio.gather(*map(unit, targets))

    async def sleepers(self, case):
        hold("base")
        gate, all_in = asyncio.Event(), asyncio.Event()
        counted_in = 0

        async def unit(i):
            nonlocal counted_in
            counted_in += 1
            if counted_in == case.n:
                all_in.set()
            await gate.wait()
            return case.salt + i

        tasks = [asyncio.create_task(unit(i)) for i in range(case.n)]
        await all_in.wait()
        hold("waiting")
        if any(task.done() for task in tasks):
            raise RuntimeError("a task finished before the gate was open")
        gate.set()
        return [await task for task in tasks]

    async def crash(self, case):
        async def unit(i):
            return work.crash_result(i, case.numbers[0], case.scale, case.salt)

        left = await asyncio.gather(*map(unit, range(work.TASKS)), return_exceptions=True)
        later = await asyncio.create_task(unit(work.TASKS))
        causes = [work.cause(result) for result in left if isinstance(result, Exception)]
        return [None if isinstance(result, Exception) else result for result in left], "; ".join(causes), later


if __name__ == "__main__":
    main(Asyncio())
