// A bounded channel between async functions. Node has none of its own; streams are for bytes and many times heavier.
//
// `put` waits while the channel is full, `get` while it is empty. Both are served in order of arrival. At most one side
// waits at any time: a value that comes while somebody waits for one is handed over and never stored.

export class Channel {
  #capacity;
  #values = [];
  #getters = [];
  #putters = [];

  constructor(capacity) {
    this.#capacity = capacity;
  }

  put(value) {
    const getter = this.#getters.shift();
    if (getter !== undefined) {
      getter(value);
      return undefined;
    }
    if (this.#values.length < this.#capacity) {
      this.#values.push(value);
      return undefined;
    }
    return new Promise((resolve) => this.#putters.push({ value, resolve }));
  }

  get() {
    if (this.#values.length === 0) {
      return new Promise((resolve) => this.#getters.push(resolve));
    }
    const value = this.#values.shift();
    const putter = this.#putters.shift();
    if (putter !== undefined) {
      // The place that has become free belongs to who has waited longest for it.
      this.#values.push(putter.value);
      putter.resolve();
    }
    return value;
  }
}
