// The three kinds of measuring: time, memory and outcome. The Python contestants' `measure.py` tells the same in the
// same words; the rules are the engine's.
//
// The clock is around the iterations only. Results are kept and compared when it has stopped, and answers are written
// between batches.

import { answer, corrupt, CORRUPT, Digests } from "./answers.mjs";

/** Warm-up is over when three successive batches differ by no more than this factor. */
const STEADY = 1.05;

/** Warms up, answers `warm`, then times batches until they add up to the time that is asked for. */
export async function time(workload, run) {
  const digests = new Digests();

  async function batch(iterations) {
    const all = [];
    const start = process.hrtime.bigint();
    for (let i = 0; i < iterations; i++) {
      all.push(await workload(run));
    }
    const ns = Number(process.hrtime.bigint() - start);
    return { ns, iterations, digests: digests.distinct(all) };
  }

  const iterations = await warmUp(batch, run.timing);
  for (let totalNs = 0; run.timing.timed && totalNs < run.timing.min_ns; ) {
    const timed = await batch(iterations);
    answer({ t: "batch", ...timed });
    totalNs += timed.ns;
  }
}

/** Answers `warm`, and returns how many iterations make a batch long enough. */
async function warmUp(batch, timing) {
  const start = process.hrtime.bigint();
  const seen = new Set();
  let iterations = 1;
  let done = 0;
  let recent = [];
  for (;;) {
    const { ns, digests } = await batch(iterations);
    done += iterations;
    digests.forEach((digest) => seen.add(digest));
    recent = [...recent.slice(-2), ns / iterations];
    const longEnough = ns >= timing.batch_ns;
    const steady = longEnough && recent.length === 3 && Math.max(...recent) <= STEADY * Math.min(...recent);
    if (!timing.timed || steady || process.hrtime.bigint() - start >= BigInt(timing.warm_ns)) {
      break;
    }
    if (!longEnough) {
      // Doubling, and not straight to the goal: the first iterations are the slowest, so they promise too few.
      iterations *= 2;
    }
  }
  answer({ t: "warm", iterations: done, digests: [...seen] });
  return Math.max(1, Math.ceil(timing.batch_ns / Math.min(...recent)));
}

/** One iteration, whose body holds where the engine shall measure. */
export async function memory(workload, run) {
  answer({ t: "warm", iterations: 1, digests: new Digests().distinct([await workload(run)]) });
}

/** One iteration, in which one task fails by design. What is left is the result. */
export async function outcome(workload, run) {
  answer({ t: "danger" });
  const { results, cause, later } = await workload(run);
  const victim = run.input.numbers[0];
  if (results[victim] !== null) {
    throw new Error(`task ${victim} was told to fail by ${run.scale} and returned ${results[victim]}`);
  }
  const othersAreThere = results.every((result, i) => i === victim || result !== null);
  const stillWorks = later === run.input.salt + results.length;
  if (CORRUPT) {
    corrupt(results);
  }
  answer({ t: "outcome", outcome: othersAreThere && stillWorks ? "task lost" : "worker lost", cause, results });
}
