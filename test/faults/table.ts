/** Prints each row of the fault matrix as it finishes, and the totals at the end. */
import type { Reporter, TestCase, TestModule } from "vitest/node";

export default class Table implements Reporter {
  readonly #counts: Record<string, number> = { passed: 0, failed: 0, skipped: 0 };

  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    this.#counts[state] = (this.#counts[state] ?? 0) + 1;
    const [id = "", ...fault] = test.name.split(" ");
    const took = test.diagnostic()?.duration ?? 0;
    const word = { passed: "holds", failed: "FAILS", skipped: "not here" }[state as "passed"] ?? state;
    console.log(`${id.padEnd(5)} ${word.padEnd(9)} ${(took / 1000).toFixed(1).padStart(5)} s  ${fault.join(" ")}`);
    for (const error of errors ?? []) console.log(`      ${error.message.replaceAll("\n", "\n      ")}`);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) for (const error of module.errors()) console.log(error.stack ?? error.message);
    const { passed, failed, skipped } = this.#counts;
    console.log(`\n${passed} rows hold, ${failed} fail, ${skipped} cannot run here`);
  }
}
