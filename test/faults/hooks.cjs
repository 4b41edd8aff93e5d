// Preloaded into the daemon: on SIGUSR2 it runs the action named in HOOK_FILE, with arguments separated by spaces.
const { openSync, closeSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { monitorEventLoopDelay } = require("node:perf_hooks");
const { Readable } = require("node:stream");
const { setFlagsFromString } = require("node:v8");
const { runInNewContext } = require("node:vm");

// Read before the program takes them out of the environment.
const { HOOK_FILE: file, BITGET_API_KEY: key, BITGET_API_PASSPHRASE: passphrase } = process.env;

// Delays every DNS lookup by this many milliseconds.
const { HOOK_SLOW_LOOKUP: slow } = process.env;
if (slow) {
  const dns = require("node:dns");
  const { lookup } = dns;
  dns.lookup = (...words) => setTimeout(() => lookup(...words), Number(slow));
}

/** Writes the result of an action atomically, so that the waiting test never reads a part. */
function report(what) {
  writeFileSync(`${file}.result.new`, String(what));
  renameSync(`${file}.result.new`, `${file}.result`);
}

/** Returns the processor time of the main thread in ticks of the kernel, usually of 10 ms. */
function ticks() {
  const [user, system] = readFileSync(`/proc/self/task/${process.pid}/stat`, "utf8")
    .split(") ")[1]
    .split(" ")
    .slice(11);
  return Number(user) + Number(system);
}

/** Returns an error like those of got: a clean message, and secrets in its properties. */
function requestError(message) {
  const error = new Error(message);
  error.name = "RequestError";
  error.options = { headers: { "ACCESS-KEY": key, "ACCESS-PASSPHRASE": passphrase } };
  error.cause = { request: error.options };
  return error;
}

const actions = {
  /** Blocks the event loop for the given milliseconds without using the processor. */
  block(ms) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(ms));
  },
  throw() {
    throw requestError("thrown without a handler");
  },
  reject() {
    void Promise.reject(requestError(`rejected without a handler: ${key}`));
  },
  /** Makes every response body read from now on never end and ignore cancellation. */
  neverEnd() {
    Readable.prototype[Symbol.asyncIterator] = () => ({ next: () => new Promise(() => {}), return: async () => ({}) });
    report("done");
  },
  /** Fills the heap until the process crashes. */
  fill() {
    const all = [];
    for (;;) all.push(new Array(10_000).fill(all.length));
  },
  /** Takes every free file descriptor, also those that become free, and releases them after the given milliseconds. */
  takeFiles(ms) {
    const taken = [];
    const take = () => {
      try {
        for (;;) taken.push(openSync("/dev/null", "r"));
      } catch {
        // No descriptor is free at the moment.
      }
    };
    take();
    const more = setInterval(take, 5);
    setTimeout(() => {
      clearInterval(more);
      for (const one of taken) closeSync(one);
      report(taken.length);
    }, Number(ms));
  },
  /** Collects garbage at the given interval, milliseconds. */
  collectGarbage(ms) {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc");
    let times = 0;
    setInterval(() => {
      collect();
      times += 1;
      report(times);
    }, Number(ms)).unref();
  },
  /**
   * Measures the most work of the main thread between two turns of the event loop, in processor time as a multiple of what parsing
   * two megabytes takes, so that neither the machine's speed nor its load matters; reported at exit.
   */
  async measureWork() {
    const { parse } = await import("lossless-json");
    let most = 0;
    let last = ticks();
    setInterval(() => {
      const now = ticks();
      most = Math.max(most, now - last);
      last = now;
    }, 5).unref();
    process.on("exit", () => {
      const text = JSON.stringify(Array(40_000).fill({ marginCoin: "C12345", available: "1", locked: "0" }));
      const before = ticks();
      for (let n = 0; n < 10; n++) parse(text);
      report((10 * most) / (ticks() - before));
    });
  },
  /** Measures the longest event-loop delay, ms; reported at exit. */
  measureDelay() {
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    process.on("exit", () => report(Math.round(delay.max / 1e6)));
  },
};

process.on("SIGUSR2", () => {
  const [action, ...words] = readFileSync(file, "utf8").split(" ");
  actions[action](...words);
});
