"""The three kinds of measuring: time, memory and outcome.

An iteration is one whole execution of a workload. A batch is as many iterations as it takes for the clock's own cost
and resolution not to matter. The clock is around the iterations only; results are kept and compared when it has
stopped, and answers are written between batches.
"""

from time import perf_counter_ns

from contestant import answers

STEADY = 1.05
"""Warm-up is over when three successive batches differ by no more than this factor."""


def time(contestant, workload, case, timing):
    """Warms up, answers `warm`, then times batches until they add up to the time that is asked for."""
    digests = answers.Digests()

    def batch(iterations):
        start = perf_counter_ns()
        results = contestant.repeat(workload, case, iterations)
        ns = perf_counter_ns() - start
        return ns, digests.distinct(results)

    iterations = warm_up(batch, timing)
    total_ns = 0
    while timing["timed"] and total_ns < timing["min_ns"]:
        ns, seen = batch(iterations)
        answers.answer(t="batch", ns=ns, iterations=iterations, digests=seen)
        total_ns += ns


def warm_up(batch, timing):
    """Answers `warm`, and returns how many iterations make a batch long enough."""
    start = perf_counter_ns()
    iterations, done, seen, recent = 1, 0, {}, []
    while True:
        ns, found = batch(iterations)
        done += iterations
        seen.update(dict.fromkeys(found))
        recent = [*recent[-2:], ns / iterations]
        long_enough = ns >= timing["batch_ns"]
        steady = long_enough and len(recent) == 3 and max(recent) <= STEADY * min(recent)
        if not timing["timed"] or steady or perf_counter_ns() - start >= timing["warm_ns"]:
            break
        if not long_enough:
            # Doubling, and not straight to the goal: the first iterations are the slowest, so they promise too few.
            iterations *= 2
    answers.answer(t="warm", iterations=done, digests=list(seen))
    return max(1, -int(-timing["batch_ns"] // max(1, min(recent))))


def memory(contestant, workload, case, _timing):
    """One iteration, whose body holds where the engine shall measure."""
    answers.answer(t="warm", iterations=1, digests=answers.Digests().distinct(contestant.repeat(workload, case, 1)))


def outcome(contestant, workload, case, _timing):
    """One iteration, in which one task fails by design. What is left is the result."""
    answers.answer(t="danger")
    ((results, cause, later),) = contestant.repeat(workload, case, 1)
    victim = case.numbers[0]
    if results[victim] is not None:
        raise RuntimeError(f"task {victim} was told to fail by {case.scale} and returned {results[victim]}")
    others_are_there = all(result is not None for i, result in enumerate(results) if i != victim)
    still_works = later == case.salt + len(results)
    if answers.CORRUPT:
        answers.corrupt(results)
    lost = "task lost" if others_are_there and still_works else "worker lost"
    answers.answer(t="outcome", outcome=lost, cause=cause, results=results)
