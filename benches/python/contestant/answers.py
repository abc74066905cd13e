"""The way out: answers on their own file descriptor, and the digest of results that they carry."""

import json
import os

FD = int(os.environ.get("COMPARE_FD", "3"))

CORRUPT = os.environ.get("COMPARE_KIT_CORRUPT") == "1"
"""Whether one bit of one result of each iteration shall be flipped. The engine's tests ask for it, to see it caught."""

# Only the parent answers: a forked worker must not be able to, nor keep the descriptor open after the parent's end.
os.register_at_fork(after_in_child=lambda: os.close(FD))


def answer(**fields):
    """Writes one answer, a line of JSON, at once."""
    line = json.dumps(fields, separators=(",", ":")).encode() + b"\n"
    while line:
        line = line[os.write(FD, line):]


def digest(results):
    """FNV-1a over the results as 64-bit words, as 16 hexadecimal digits: `compare::protocol::digest`."""
    state = 0xCBF2_9CE4_8422_2325
    for word in results:
        state = ((state ^ word) * 0x0000_0100_0000_01B3) & 0xFFFF_FFFF_FFFF_FFFF
    return f"{state:016x}"


class Digests:
    """The digests of many iterations. Equal results are digested once: they are the rule, and a digest is slow."""

    def __init__(self):
        self.known = []

    def distinct(self, iterations):
        """The distinct digests of these iterations, in order of first sight: one, if all is well."""
        return list(dict.fromkeys(map(self.digest_of, iterations)))

    def digest_of(self, results):
        """One iteration's digest."""
        if CORRUPT:
            corrupt(results)
        for known, its_digest in self.known:
            if known == results:
                return its_digest
        if None in results:
            raise RuntimeError(f"task {results.index(None)} of {len(results)} gave no result")
        self.known.append((results, digest(results)))
        return self.known[-1][1]


def corrupt(results):
    """Flips one bit of one result that is there."""
    for i, result in enumerate(results):
        if result is not None:
            results[i] = result ^ 1
            return
