// The way in and out: the request on standard input, answers on their own file descriptor, and the digest of results.
//
// Everything here blocks: nothing of it happens while the clock runs, and a blocking read needs none of libuv's threads.

import fs from "node:fs";

const FD = Number(process.env.COMPARE_FD ?? 3);

/** Whether one bit of one result of each iteration shall be flipped. The engine's tests ask for it, to see it caught. */
export const CORRUPT = process.env.COMPARE_KIT_CORRUPT === "1";

/** Writes one answer, a line of JSON, at once. */
export function answer(fields) {
  let rest = Buffer.from(JSON.stringify(fields) + "\n");
  while (rest.length > 0) {
    rest = rest.subarray(fs.writeSync(FD, rest));
  }
}

let unread = "";

/** The next line of standard input, or null at its end. */
export function line() {
  const piece = Buffer.alloc(65536);
  while (!unread.includes("\n")) {
    const length = fs.readSync(0, piece);
    if (length === 0) {
      return null;
    }
    unread += piece.toString("latin1", 0, length);
  }
  const end = unread.indexOf("\n");
  const text = Buffer.from(unread.slice(0, end), "latin1").toString("utf8");
  unread = unread.slice(end + 1);
  return text;
}

/** Waits for the end of standard input. */
export function untilEnd() {
  while (line() !== null) {}
}

/** Lets the engine read the memory figures: answers `hold` and waits for its line. */
export function hold(what) {
  answer({ t: "hold", what });
  if (line() === null) {
    throw new Error(`the engine left while '${what}' was held`);
  }
}

/** FNV-1a over the results as 64-bit words, as 16 hexadecimal digits: `compare::protocol::digest`. */
export function digest(results) {
  let state = 0xcbf29ce484222325n;
  for (const word of results) {
    state = BigInt.asUintN(64, (state ^ BigInt(word)) * 0x100000001b3n);
  }
  return state.toString(16).padStart(16, "0");
}

/** The digests of many iterations. Equal results are digested once: they are the rule, and a digest is slow. */
export class Digests {
  #known = [];

  /** The distinct digests of these iterations, in order of first sight: one, if all is well. */
  distinct(iterations) {
    return [...new Set(iterations.map((results) => this.#digestOf(results)))];
  }

  #digestOf(results) {
    if (CORRUPT) {
      corrupt(results);
    }
    let known = this.#known.find(({ results: seen }) => same(seen, results));
    if (known === undefined) {
      known = { results, digest: digest(results) };
      this.#known.push(known);
    }
    return known.digest;
  }
}

/** Flips one bit of one result that is there. */
export function corrupt(results) {
  const i = results.findIndex((result) => result !== null);
  if (i >= 0) {
    // No `^`: it cuts a number to 32 bits.
    results[i] += results[i] % 2 === 0 ? 1 : -1;
  }
}

function same(a, b) {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
