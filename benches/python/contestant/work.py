"""The pieces of the workloads that are the same in every model: what one task computes, not how it is run."""

import math
import os

YIELDS = 200
"""How often a unit of `switch` yields."""

TRIPS = 100
"""Round trips of one pair of `pingpong`."""

STAGES = (1, 2, 3, 4, 5)
"""The stages of `pipeline`, between its source and its sink."""

CAPACITY = 16
"""How many items a queue of `pipeline` may hold."""

TASKS = 8
"""How many tasks `crash` starts before the one that shows whether the pool still works."""

PATIENCE_SECONDS = 2
"""How long `crash` waits for a handle that may never complete."""

MODULUS = 2**31


def mixed(accumulator, salt, step):
    """`switch`: what a unit does between two yields."""
    return (accumulator + salt + step) % MODULUS


def echoed(sent, received):
    """`pingpong`: the client's next number, if the server answered as it must."""
    if received != sent + 1:
        raise RuntimeError(f"the answer to {sent} was {received}, not {sent + 1}")
    return received + 1


def items(n, salt):
    """`pipeline`: what the source sends."""
    return ((salt + i) % MODULUS for i in range(n))


def staged(item, stage, salt):
    """`pipeline`: what one stage makes of an item."""
    return (item * 31 + stage + salt) % MODULUS


def is_prime(n):
    """`primes`: trial division, as the tutorials on concurrency write it."""
    if n < 2:
        return False
    if n == 2:
        return True
    if n % 2 == 0:
        return False
    for i in range(3, math.floor(math.sqrt(n)) + 1, 2):
        if n % i == 0:
            return False
    return True


def prime_result(n, salt):
    """`primes`: one task."""
    return salt * 2 + is_prime(n)


def paths(case):
    """`files`: the files to read: depth first, each folder's entries in byte order, until they hold `case.n` MiB."""
    wanted_bytes, found = case.n << 20, []
    for path, size_bytes in walk(os.fsencode(case.texts[0])):
        found.append(path)
        wanted_bytes -= size_bytes
        if wanted_bytes <= 0:
            break
    return found


def walk(folder):
    """Every regular file under `folder` with its size. Links, special files and what cannot be read are left out."""
    try:
        with os.scandir(folder) as entries:
            entries = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from walk(entry.path)
            elif entry.is_file(follow_symlinks=False) and os.access(entry.path, os.R_OK):
                yield entry.path, entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue


def file_result(path, salt):
    """`files`: one task: reads a file, hashes it and counts its words."""
    with open(path, "rb") as file:
        content = file.read()
    return (salted_hash(content, salt) + len(content.split()) * 7) % MODULUS


def salted_hash(content, salt):
    """The first four bytes of SHA-256 over salt and content, as a number."""
    from hashlib import sha256

    digest = sha256(salt.to_bytes(8, "big"))
    digest.update(content)
    return int.from_bytes(digest.digest()[:4], "big")


def request(target, address):
    """`fetch`: what is sent."""
    return f"GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode()


def reply_result(reply, target, salt):
    """`fetch`: the result of one request, from all that came back."""
    head, _, body = reply.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the server answered {target} with {head[:80]!r}, not with HTTP/1.1 200")
    return salted_hash(body, salt)


def host_and_port(address):
    """`fetch`: `127.0.0.1:80` as sockets want it."""
    host, _, port = address.rpartition(":")
    return host, int(port)


def fetch_result(target, address, salt):
    """`fetch`: one task over a blocking socket."""
    import socket

    with socket.create_connection(host_and_port(address)) as connection:
        connection.sendall(request(target, address))
        reply = b"".join(iter(lambda: connection.recv(65536), b""))
    return reply_result(reply, target, salt)


def crash_result(i, victim, how, salt):
    """`crash`: one task; the victim fails in the way that the scale names."""
    if i == victim:
        fail(how)
    return salt + i


def fail(how):
    """Does what no task should: raises, aborts, or dies as if it had touched memory that is not its own."""
    if how == "panic":
        raise RuntimeError(f"planted: told to fail by {how}")
    if how == "abort":
        os.abort()
    if how == "segv":
        import signal

        os.kill(os.getpid(), signal.SIGSEGV)
    raise ValueError(f"no way to fail is called {how!r}: panic, abort, segv")


def cause(error):
    """`crash`: what a handle said, in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


def survivors(futures):
    """`crash`: the results of the tasks' futures, None for each that was lost, and what the lost ones' handles said."""
    results, causes = [None] * TASKS, {}
    for i, future in enumerate(futures):
        try:
            results[i] = future.result(timeout=PATIENCE_SECONDS)
        except Exception as error:
            causes[cause(error)] = None
    return results, "; ".join(causes)
