/** Asks questions on a terminal. */
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import { UsageError } from "../../core/errors.ts";

/** Returns why an answer cannot be used, as the end of a sentence that begins with the question; null if it can. */
export type ProblemOf = (answer: string) => string | null;

const noProblem: ProblemOf = () => null;

/** Asks one question after the other; what is typed for a hidden one is not shown. */
export class Questions {
  readonly #output: NodeJS.WritableStream;
  readonly #lines: Interface;
  #isHidden = false;

  constructor(input: NodeJS.ReadableStream, output: NodeJS.WritableStream) {
    this.#output = output;
    const echo = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!this.#isHidden) output.write(chunk);
        done();
      },
    });
    this.#lines = createInterface({ input, output: echo, terminal: true, historySize: 0 });
  }

  /**
   * Resolves with the answer without spaces around it, or the default for an empty one. The question is repeated once after an answer with a problem.
   * @throws UsageError if the second answer has a problem too, and after Ctrl-C or Ctrl-D
   */
  ask(question: string, otherwise = "", problemOf: ProblemOf = noProblem): Promise<string> {
    const prompt = `${question}${otherwise && ` [${otherwise}]`}: `;
    return this.#answer(question, problemOf, async () => (await this.#line(question, prompt, false)) || otherwise);
  }

  /** Resolves with a secret, which is not shown. @throws as `ask` */
  askHidden(question: string, problemOf: ProblemOf = noProblem): Promise<string> {
    return this.#answer(question, problemOf, async () => {
      const text = await this.#line(question, `${question} (hidden): `, true);
      this.#output.write("\n");
      return text;
    });
  }

  close(): void {
    this.#lines.close();
  }

  async #answer(question: string, problemOf: ProblemOf, read: () => Promise<string>): Promise<string> {
    const first = await read();
    const problem = problemOf(first);
    if (problem === null) return first;
    this.#output.write(`${question} ${problem}.\n`);
    const second = await read();
    const again = problemOf(second);
    if (again !== null) throw new UsageError(`${question} ${again}; nothing was written`);
    return second;
  }

  #line(question: string, prompt: string, isHidden: boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      const onClose = () => reject(new UsageError(`cancelled at "${question}"; nothing was written`));
      this.#lines.once("close", onClose);
      this.#isHidden = isHidden;
      this.#lines.question("", (answer) => {
        this.#lines.off("close", onClose);
        this.#isHidden = false;
        resolve(answer.trim());
      });
      this.#output.write(prompt);
    });
  }
}
