// The workloads, in Node's idiom: an async function for each unit of work, `Promise.all` to join them, all on one thread.
//
// An async function runs at once, up to its first `await`. So a unit that awaits nothing is done when it is created;
// that is what a task costs here, and it is measured as it is.

import { Buffer } from "node:buffer";
import fs from "node:fs";
import path from "node:path";

import { hold } from "./answers.mjs";
import { Channel } from "./channel.mjs";

const YIELDS = 200;
const TRIPS = 100;
const STAGES = [1, 2, 3, 4, 5];
const CAPACITY = 16;
const CRASH_TASKS = 8;
const MODULUS = 2 ** 31;

/** Ends a stream of items, none of which is null. */
const END = null;

const indexes = (n) => Array.from({ length: n }, (_, i) => i);

export function spawn({ n, input: { salt } }) {
  const unit = async (i) => salt + i;
  return Promise.all(indexes(n).map(unit));
}

export function switching({ n, input: { salt } }) {
  async function unit(i) {
    let accumulator = salt + i;
    for (let step = 0; step < YIELDS; step++) {
      // To await a promise that is already resolved yields to other promises only, never to the event loop, so timers
      // and sockets would starve. This is the yield that lets everybody else run.
      await new Promise(setImmediate);
      accumulator = (accumulator + salt + step) % MODULUS;
    }
    return accumulator;
  }
  return Promise.all(indexes(n).map(unit));
}

export async function pingpong({ n, input: { salt } }) {
  async function client(p, there, back) {
    let received;
    for (let trip = 0, x = salt + p; trip < TRIPS; trip++, x = received + 1) {
      await there.put(x);
      received = await back.get();
      if (received !== x + 1) {
        throw new Error(`the answer to ${x} was ${received}, not ${x + 1}`);
      }
    }
    return received;
  }

  async function server(there, back) {
    for (let trip = 0; trip < TRIPS; trip++) {
      await back.put((await there.get()) + 1);
    }
  }

  const clients = [];
  const servers = [];
  for (const p of indexes(n)) {
    const there = new Channel(1);
    const back = new Channel(1);
    clients.push(client(p, there, back));
    servers.push(server(there, back));
  }
  const [results] = await Promise.all([Promise.all(clients), Promise.all(servers)]);
  return results;
}

export async function pipeline({ n, input: { salt } }) {
  async function source(out) {
    for (let i = 0; i < n; i++) {
      await out.put((salt + i) % MODULUS);
    }
    await out.put(END);
  }

  async function stage(number, inlet, out) {
    for (let item; (item = await inlet.get()) !== END; ) {
      // Below 2^36, so exact.
      await out.put((item * 31 + number + salt) % MODULUS);
    }
    await out.put(END);
  }

  async function sink(inlet) {
    const arrived = [];
    for (let item; (item = await inlet.get()) !== END; ) {
      arrived.push(item);
    }
    return arrived;
  }

  const channels = indexes(STAGES.length + 1).map(() => new Channel(CAPACITY));
  const stages = STAGES.map((number) => stage(number, channels[number - 1], channels[number]));
  const [arrived] = await Promise.all([sink(channels.at(-1)), source(channels[0]), ...stages]);
  return arrived;
}

export function primes({ input: { numbers, salt } }) {
  const unit = async (number) => salt * 2 + (isPrime(number) ? 1 : 0);
  return Promise.all(numbers.map(unit));
}

/** Trial division, as the tutorials on concurrency write it. */
function isPrime(n) {
  if (n < 2) {
    return false;
  }
  if (n === 2) {
    return true;
  }
  if (n % 2 === 0) {
    return false;
  }
  const root = Math.floor(Math.sqrt(n));
  for (let i = 3; i <= root; i += 2) {
    if (n % i === 0) {
      return false;
    }
  }
  return true;
}

/** Files are read by blocking calls: asynchronous ones would be done by libuv's threads, and measure a pool of those. */
export async function files({ n, input: { texts, salt } }) {
  const { createHash } = await import("node:crypto");
  const unit = async (file) => {
    const content = fs.readFileSync(file);
    return (saltedHash(createHash, content, salt) + wordsIn(content) * 7) % MODULUS;
  };
  const wantedBytes = n * 2 ** 20;
  const found = [];
  let foundBytes = 0;
  for (const { file, sizeBytes } of walk(Buffer.from(texts[0]))) {
    found.push(file);
    foundBytes += sizeBytes;
    if (foundBytes >= wantedBytes) {
      break;
    }
  }
  return Promise.all(found.map(unit));
}

/** Every regular file under `folder`, depth first, entries in byte order. What cannot be read is left out. */
function* walk(folder) {
  let entries;
  try {
    entries = fs.readdirSync(folder, { withFileTypes: true, encoding: "buffer" });
  } catch {
    return;
  }
  entries.sort((a, b) => Buffer.compare(a.name, b.name));
  for (const entry of entries) {
    // Names are bytes, not always UTF-8, so they are joined as bytes.
    const file = Buffer.concat([folder, Buffer.from(path.sep), entry.name]);
    if (entry.isDirectory()) {
      yield* walk(file);
    } else if (entry.isFile()) {
      let sizeBytes;
      try {
        fs.accessSync(file, fs.constants.R_OK);
        sizeBytes = fs.lstatSync(file).size;
      } catch {
        continue;
      }
      yield { file, sizeBytes };
    }
  }
}

/** How many maximal runs of bytes other than white space there are. */
function wordsIn(content) {
  let words = 0;
  let inWord = false;
  for (let i = 0; i < content.length; i++) {
    const byte = content[i];
    const space = byte === 32 || (byte >= 9 && byte <= 13);
    if (inWord === space) {
      inWord = !space;
      words += inWord ? 1 : 0;
    }
  }
  return words;
}

/** The first four bytes of SHA-256 over salt and content, as a number. */
function saltedHash(createHash, content, salt) {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64BE(BigInt(salt));
  return createHash("sha256").update(prefix).update(content).digest().readUInt32BE(0);
}

export async function fetching({ input: { texts, salt } }) {
  const { createHash } = await import("node:crypto");
  const { connect } = await import("node:net");
  const [address, ...targets] = texts;
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon);
  const port = Number(address.slice(colon + 1));

  async function unit(target) {
    const socket = connect({ host, port });
    socket.write(`GET ${target} HTTP/1.1\r\nHost: ${address}\r\nConnection: close\r\n\r\n`);
    const pieces = [];
    for await (const piece of socket) {
      pieces.push(piece);
    }
    const reply = Buffer.concat(pieces);
    if (!reply.toString("latin1", 0, 12).startsWith("HTTP/1.1 200")) {
      throw new Error(`the server answered ${target} with '${reply.toString("latin1", 0, 80)}', not with HTTP/1.1 200`);
    }
    return saltedHash(createHash, reply.subarray(reply.indexOf("\r\n\r\n") + 4), salt);
  }
  return Promise.all(targets.map(unit));
}

export async function sleepers({ n, input: { salt } }) {
  hold("base");
  let open;
  const gate = new Promise((resolve) => (open = resolve));
  let countedIn = 0;
  let finished = 0;

  async function unit(i) {
    countedIn++;
    await gate;
    finished++;
    return salt + i;
  }

  const tasks = indexes(n).map(unit);
  while (countedIn < n) {
    await new Promise(setImmediate);
  }
  hold("waiting");
  if (finished > 0) {
    throw new Error("a task finished before the gate was open");
  }
  open();
  return Promise.all(tasks);
}

export async function crash({ scale, input: { numbers, salt } }) {
  async function unit(i) {
    if (i === numbers[0]) {
      fail(scale);
    }
    return salt + i;
  }
  const left = await Promise.allSettled(indexes(CRASH_TASKS).map(unit));
  return {
    results: left.map(({ value }) => value ?? null),
    cause: left.flatMap(({ reason }) => (reason === undefined ? [] : [String(reason)])).join("; "),
    later: await unit(CRASH_TASKS),
  };
}

/** Does what no task should: throws, aborts, or dies as if it had touched memory that is not its own. */
function fail(how) {
  if (how === "abort") {
    process.abort();
  }
  if (how === "segv") {
    process.kill(process.pid, "SIGSEGV");
  }
  throw new Error(`planted: told to fail by ${how}`);
}
