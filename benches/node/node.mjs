// The model `node`: async functions on Node's one thread.
//
// It takes part by an entry in `compare.toml` alone, and shares no code with the other contestants: whatever language
// you would like to compare, this is all that it takes. The protocol is told in `crates/compare/src/protocol.rs`.
//
//     answers.mjs    the request, the answers, the digest
//     measure.mjs    warm-up and timed batches
//     channel.mjs    a bounded channel, which Node lacks
//     workloads.mjs  the workloads

import { answer, line, untilEnd } from "./answers.mjs";
import * as measure from "./measure.mjs";
import * as work from "./workloads.mjs";

/** The version of the protocol. */
const VERSION = 1;

/**
 * Threads that do none of the work. Node 20 has ten: four of V8's that compile and collect, the one that delays tasks for
 * them, four of libuv's that load modules, and the one that waits for the inspector's signal. Two to spare for others.
 */
const HELPERS = 12;

/** What it can do, and how each is measured. */
const WORKLOADS = {
  spawn: [work.spawn, measure.time],
  switch: [work.switching, measure.time],
  pingpong: [work.pingpong, measure.time],
  pipeline: [work.pipeline, measure.time],
  primes: [work.primes, measure.time],
  files: [work.files, measure.time],
  fetch: [work.fetching, measure.time],
  sleepers: [work.sleepers, measure.memory],
  crash: [work.crash, measure.outcome],
};

function description() {
  return {
    t: "description",
    v: VERSION,
    model: "node",
    version: `Node ${process.versions.node} (V8 ${process.versions.v8})`,
    about: "async functions joined by Promise.all, setImmediate to yield, on one thread",
    uses: { kind: "one-thread", helpers: HELPERS },
    abilities: Object.keys(WORKLOADS).map((workload) => ({ workload, forms: ["idiomatic"] })),
  };
}

async function run(request) {
  if (request.v !== VERSION) {
    throw new Error(`the request is of protocol ${request.v}, this contestant speaks ${VERSION}: update benches/node`);
  }
  if (!Object.hasOwn(WORKLOADS, request.workload)) {
    throw new Error(`workload '${request.workload}' is unknown: known are ${Object.keys(WORKLOADS).join(", ")}`);
  }
  const [workload, kind] = WORKLOADS[request.workload];
  answer({ t: "ready" });
  await kind(workload, request);
  answer({ t: "done" });
  untilEnd();
}

const text = line();
if (text === null) {
  throw new Error("no request on standard input: this program is started by `cargo xtask compare`");
}
const request = JSON.parse(text);
if (request.call === "describe") {
  answer(description());
} else if (request.call === "run") {
  await run(request);
} else {
  throw new Error(`call '${request.call}' is not for a contestant: it answers describe and run`);
}
