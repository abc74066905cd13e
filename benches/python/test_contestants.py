"""Runs every contestant that is not written in Rust as the engine does, and verifies what it answers.

    python3 benches/python/test_contestants.py [-v] [py_asyncio.test_fetch ...]

Expected results are computed here anew, by other code than the contestants'. Models whose interpreter or package is not
on this machine are skipped; to have gevent tested, run this by a Python that has it.
"""

import glob
import hashlib
import http.server
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SALT = 2**31 - 7
"""Near its upper bound, so that arithmetic modulo 2^31 wraps."""

LIMIT_SECONDS = 60
"""A contestant that takes longer hangs."""

WORKLOADS = ["spawn", "switch", "pingpong", "pipeline", "primes", "files", "fetch", "sleepers", "crash"]
UNTIMED = {"timed": False, "warm_ns": 0, "batch_ns": 0, "min_ns": 0}


def commands():
    """The command of each model, None where its interpreter or package is missing."""
    found = {}
    for path in sorted(glob.glob(os.path.join(HERE, "py-*.py"))):
        found[os.path.basename(path)[:-3]] = [sys.executable, path]
    if importlib.util.find_spec("gevent") is None:
        found["py-gevent"] = None
    others = {"node": ["node"], "pypy": ["pypy3", "pypy"], "py-free-threaded": ["python3.14t", "python3.13t"]}
    for model, interpreters in others.items():
        program = os.path.join(HERE, "../node/node.mjs" if model == "node" else "py-threading.py")
        interpreter = next(filter(None, map(shutil.which, interpreters)), None)
        found[model] = interpreter and [interpreter, program]
    return found


class Cell:
    """One contestant's life: `answers` by kind, `stderr`, and `code`, its exit code."""

    def __init__(self, command, request, **environment):
        receiver, sender = os.pipe()
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(sender,),
            env={**os.environ, "COMPARE_FD": str(sender), **environment},
            start_new_session=True,
        )
        os.close(sender)
        watchdog = threading.Timer(LIMIT_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        watchdog.start()
        with open(receiver, encoding="utf-8") as answers:
            self.converse(process, request, answers)
        stdout, stderr = process.communicate()
        watchdog.cancel()
        self.code, self.stderr = process.returncode, stderr.decode(errors="replace")
        self.survivors = session(process.pid)
        if stdout:
            raise AssertionError(f"printed {stdout!r}")
        if self.survivors:
            raise AssertionError(f"left processes {self.survivors}")

    def converse(self, process, request, answers):
        """Writes the request, lets each `hold` go on, and ends the input when all is said."""
        self.answers = {}
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        for line in answers:
            answer = json.loads(line)
            kind = answer.pop("t")
            self.answers.setdefault(kind, []).append(answer)
            if kind == "hold":
                process.stdin.write(b"\n")
                process.stdin.flush()
            elif kind in ("done", "limit"):
                process.stdin.close()
                process.stdin = None

    def one(self, kind):
        """The one answer of this kind."""
        (answer,) = self.answers.get(kind, [None])
        if answer is None:
            raise AssertionError(f"no {kind} among {list(self.answers)}, exit code {self.code}:\n{self.stderr}")
        return answer


def session(leader):
    """The processes that are still in a session."""
    members = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                state, _parent, _group, its_session = file.read().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(its_session) == leader and state != "Z":
            members.append(int(pid))
    return members


def run(workload, n, scale="test", numbers=(), texts=(), timing=UNTIMED):
    """A request to run a cell."""
    about = {"workload": workload, "form": "idiomatic", "scale": scale, "n": n, "round": 1, "workers": 2}
    its_input = {"salt": SALT, "numbers": list(numbers), "texts": list(texts)}
    return {"call": "run", "v": 1, **about, "input": its_input, "timing": timing}


def digest(results):
    state = 0xCBF29CE484222325
    for word in results:
        state = (state ^ word) * 0x100000001B3 % 2**64
    return format(state, "016x")


def salted_hash(content):
    return int(hashlib.sha256(SALT.to_bytes(8, "big") + content).hexdigest()[:8], 16)


class Pages(http.server.BaseHTTPRequestHandler):
    """A server whose page depends on the target alone; targets that begin with /late are answered late."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/late"):
            threading.Event().wait(0.05)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.page(self.path))

    @staticmethod
    def page(target):
        return (target.encode() + b"\r\n\r\n\xff") * 50

    def log_message(self, *_):
        pass


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


def plant_tree(folder):
    """Makes a tree with what a walk can get wrong, and returns the contents to read for 1 MiB, in order."""
    large = b"word " * 120_000
    # A folder sorts by its own name: b, then b.txt, although b/z would come after it as a text.
    files = [(b"a", b" \t\n\r\x0b\x0cone\xc2\x85two\x1cthree "), (b"b/deep/x", large), (b"b/z", b""), (b"b.txt", large)]
    files += [(b"c\xff", b"beyond the limit")]
    root = os.fsencode(folder)
    for name, content in files:
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    os.symlink(b"b.txt", os.path.join(root, b"aa-link"))
    os.symlink(b"b", os.path.join(root, b"ab-link"))
    os.mkfifo(os.path.join(root, b"ac-pipe"))
    return [content for _, content in files[:4]]


class Contestant(unittest.TestCase):
    """The tests of one model; subclasses name it."""

    model = command = None

    @classmethod
    def setUpClass(cls):
        if cls.command is None:
            raise unittest.SkipTest(f"{cls.model}: its interpreter or package is not on this machine")
        described = Cell(cls.command, {"call": "describe"})
        cls.described = described.one("description")
        cls.able = {ability["workload"]: ability for ability in cls.described["abilities"]}
        cls.server = serve()
        cls.folder = tempfile.TemporaryDirectory()
        cls.contents = plant_tree(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()
        cls.folder.cleanup()

    def cell(self, workload, n, scale="test", numbers=(), texts=(), timing=UNTIMED, **environment):
        """Runs one cell, if the model is able to."""
        ability = self.able[workload]
        if not ability["forms"]:
            self.skipTest(ability["why"])
        return Cell(self.command, run(workload, n, scale, numbers, texts, timing), **environment)

    def verify(self, workload, n, expected, **given):
        """Runs a cell as it is and one with a planted error; only the first may give the expected digest."""
        cell = self.cell(workload, n, **given)
        self.assertEqual(cell.one("warm"), {"iterations": 1, "digests": [digest(expected)]}, cell.stderr)
        self.assertEqual((cell.code, cell.one("ready"), cell.one("done")), (0, {}, {}))
        self.assertNotIn("batch", cell.answers)
        wrong = self.cell(workload, n, COMPARE_KIT_CORRUPT="1", **given).one("warm")["digests"]
        self.assertNotEqual(wrong, [digest(expected)])
        return cell

    def test_describe(self):
        self.assertEqual(self.described["v"], 1)
        self.assertEqual([ability["workload"] for ability in self.described["abilities"]], WORKLOADS)
        for ability in self.able.values():
            self.assertIn(ability["forms"], ([], ["idiomatic"]))
            self.assertEqual("why" in ability, not ability["forms"])
            self.assertEqual("most" in ability, "most_why" in ability)
            for reason in (ability.get("why", "x"), ability.get("most_why", "x")):
                self.assertFalse(reason.endswith("."), reason)
        self.assertRegex(self.described["version"], r"\d+\.\d+")

    def test_unknown_requests_fail(self):
        for request in ({"call": "dance"}, run("dance", 1), run("spawn", 1) | {"v": 2}):
            cell = Cell(self.command, request)
            self.assertNotEqual(cell.code, 0)
            self.assertEqual(cell.answers, {})
            self.assertTrue(cell.stderr)

    def test_a_failing_task_ends_the_program(self):
        # Nobody listens on port 1.
        cell = self.cell("fetch", 2, texts=["127.0.0.1:1", "/20/1", "/20/2"])
        self.assertGreater(cell.code, 0)
        self.assertEqual(list(cell.answers), ["ready"])
        self.assertRegex(cell.stderr, "ECONNREFUSED|Errno 111")

    def test_timed(self):
        timing = {"timed": True, "warm_ns": 50_000_000, "batch_ns": 2_000_000, "min_ns": 20_000_000}
        cell = self.cell("spawn", 10, timing=timing)
        expected = [digest(range(SALT, SALT + 10))]
        self.assertEqual(cell.one("warm")["digests"], expected)
        self.assertGreaterEqual(cell.one("warm")["iterations"], 1)
        for batch in cell.answers["batch"]:
            self.assertEqual(batch["digests"], expected)
            self.assertGreaterEqual(batch["iterations"], 1)
        self.assertGreaterEqual(sum(batch["ns"] for batch in cell.answers["batch"]), timing["min_ns"])
        self.assertEqual(cell.code, 0)

    def test_spawn(self):
        self.verify("spawn", 10, range(SALT, SALT + 10))

    def test_switch(self):
        steps = sum(range(200))
        self.verify("switch", 4, [(SALT + i + 200 * SALT + steps) % 2**31 for i in range(4)])

    def test_pingpong(self):
        self.verify("pingpong", 3, [SALT + pair + 199 for pair in range(3)])

    def test_pipeline(self):
        expected = []
        for item in range(100):
            x = SALT + item
            for stage in range(6):
                x = (x * 31 + stage + SALT if stage else x) % 2**31
            expected.append(x)
        self.verify("pipeline", 100, expected)

    def test_primes(self):
        known = {0: 0, 1: 0, 2: 1, 3: 1, 4: 0, 9: 0, 1_000_003: 1, 59_999 * 60_013: 0, 4_000_000_007: 1}
        self.verify("primes", len(known), [2 * SALT + prime for prime in known.values()], numbers=known)

    def test_files(self):
        expected = []
        for content in self.contents:
            words = "".join(chr(byte) if byte not in b" \t\n\r\x0b\x0c" else "\n" for byte in content).split("\n")
            expected.append((salted_hash(content) + 7 * sum(map(bool, words))) % 2**31)
        self.verify("files", 1, expected, texts=[self.folder.name])

    def test_fetch(self):
        targets = ["/20/1", "/late/2", "/20/3", "/20/4"]
        address = "127.0.0.1:%d" % self.server.server_address[1]
        self.verify("fetch", 4, [salted_hash(Pages.page(target)) for target in targets], texts=[address, *targets])

    def test_sleepers(self):
        cell = self.verify("sleepers", 20, range(SALT, SALT + 20))
        self.assertEqual(cell.answers["hold"], [{"what": "base"}, {"what": "waiting"}])

    def test_crash_by_panic(self):
        self.verify_crash("panic", None)

    def test_crash_by_abort(self):
        self.verify_crash("abort", signal.SIGABRT)

    def test_crash_by_segv(self):
        self.verify_crash("segv", signal.SIGSEGV)

    def verify_crash(self, how, fatal):
        cell = self.cell("crash", 8, scale=how, numbers=[3])
        self.assertEqual(cell.one("danger"), {})
        if fatal and self.described["uses"]["kind"] != "processes":
            self.assertEqual(cell.code, -fatal)
            return
        left = cell.one("outcome")
        self.assertEqual((cell.code, cell.one("done")), (0, {}))
        self.assertTrue(left["cause"] and "\n" not in left["cause"], left)
        expected = [None if i == 3 else SALT + i for i in range(8)]
        if fatal and self.model == "py-processpool":
            # How many others had finished when the pool broke is a matter of luck.
            self.assertEqual(left["outcome"], "worker lost")
            self.assertIn("BrokenProcessPool", left["cause"])
            self.assertTrue(all(result in (None, its) for result, its in zip(left["results"], expected)))
            return
        self.assertEqual((left["outcome"], left["results"]), ("task lost", expected))
        wrong = self.cell("crash", 8, scale=how, numbers=[3], COMPARE_KIT_CORRUPT="1").one("outcome")["results"]
        self.assertEqual(sum(a != b for a, b in zip(wrong, expected)), 1)


class Missing(unittest.TestCase):
    """What a model says whose package is missing."""

    def test_gevent(self):
        # `-S` leaves out site-packages, so no gevent is found, wherever it is.
        path = os.path.join(HERE, "py-gevent.py")
        cell = Cell([sys.executable, "-S", path], {"call": "describe"}, PYTHONPATH="")
        self.assertNotEqual(cell.code, 0)
        self.assertEqual(cell.answers, {})
        self.assertEqual(len(cell.stderr.splitlines()), 1, cell.stderr)
        self.assertIn("pip install gevent", cell.stderr)


def load_tests(_loader, _standard, _pattern):
    return unittest.TestSuite(map(unittest.defaultTestLoader.loadTestsFromTestCase, (*MODELS, Missing)))


MODELS = []
for its_model, its_command in commands().items():
    name = its_model.replace("-", "_")
    MODELS.append(type(name, (Contestant,), {"model": its_model, "command": its_command, "__module__": __name__}))
    globals()[name] = MODELS[-1]

if __name__ == "__main__":
    unittest.main()
