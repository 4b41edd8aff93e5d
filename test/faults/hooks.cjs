// Preloaded into the daemon: on SIGUSR2 it does what the file HOOK_FILE says, in words separated by a space.
const { openSync, closeSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { monitorEventLoopDelay } = require("node:perf_hooks");
const { Readable } = require("node:stream");
const { setFlagsFromString } = require("node:v8");
const { runInNewContext } = require("node:vm");

// Read before the program takes them out of the environment.
const { HOOK_FILE: file, BITGET_API_KEY: key, BITGET_API_PASSPHRASE: passphrase } = process.env;

// A name server that takes so many milliseconds.
const { HOOK_SLOW_LOOKUP: slow } = process.env;
if (slow) {
  const dns = require("node:dns");
  const { lookup } = dns;
  dns.lookup = (...words) => setTimeout(() => lookup(...words), Number(slow));
}

/** Written whole, so that whoever waits for it never reads a part. */
function tell(what) {
  writeFileSync(`${file}.told.new`, String(what));
  renameSync(`${file}.told.new`, `${file}.told`);
}

/** As got throws them: the message is clean, what hangs on it is not. */
function requestError(message) {
  const error = new Error(message);
  error.name = "RequestError";
  error.options = { headers: { "ACCESS-KEY": key, "ACCESS-PASSPHRASE": passphrase } };
  error.cause = { request: error.options };
  return error;
}

const actions = {
  /** Holds up the event loop for so many milliseconds, without using the processor. */
  block(ms) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(ms));
  },
  throw() {
    throw requestError("thrown where nobody catches");
  },
  reject() {
    void Promise.reject(requestError(`rejected where nobody catches, saying ${key}`));
  },
  /** Answers that are read from now on never end, whatever is done to them. */
  neverEnd() {
    Readable.prototype[Symbol.asyncIterator] = () => ({ next: () => new Promise(() => {}), return: async () => ({}) });
    tell("done");
  },
  /** Fills the heap until the process dies of it. */
  fill() {
    const all = [];
    for (;;) all.push(new Array(10_000).fill(all.length));
  },
  /** Takes every file descriptor there is or becomes free, and gives them back after so many milliseconds. */
  takeFiles(ms) {
    const taken = [];
    const take = () => {
      try {
        for (;;) taken.push(openSync("/dev/null", "r"));
      } catch {
        // There are no more just now.
      }
    };
    take();
    const more = setInterval(take, 5);
    setTimeout(() => {
      clearInterval(more);
      for (const one of taken) closeSync(one);
      tell(taken.length);
    }, Number(ms));
  },
  /** Collects garbage every so many milliseconds. */
  collectGarbage(ms) {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc");
    let times = 0;
    setInterval(() => {
      collect();
      times += 1;
      tell(times);
    }, Number(ms)).unref();
  },
  /** From now on, how much processor time the program used at most between two turns of a busy loop, ms; told at the end. */
  measureWork() {
    let most = 0;
    let last = process.cpuUsage();
    setInterval(() => {
      const { user, system } = process.cpuUsage(last);
      last = process.cpuUsage();
      most = Math.max(most, user + system);
    }, 5).unref();
    process.on("exit", () => tell(Math.round(most / 1000)));
  },
  /** From now on, how long the event loop was held up at most, in milliseconds; told at the end. */
  measureDelay() {
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    process.on("exit", () => tell(Math.round(delay.max / 1e6)));
  },
};

process.on("SIGUSR2", () => {
  const [action, ...words] = readFileSync(file, "utf8").split(" ");
  actions[action](...words);
});
