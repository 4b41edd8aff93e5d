/** Asks questions on a terminal. */
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import { UsageError } from "../../core/errors.ts";

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

  /** Resolves with the answer without spaces around it, or the default for an empty one. @throws UsageError after Ctrl-C or Ctrl-D */
  async ask(question: string, otherwise = ""): Promise<string> {
    const text = await this.#line(`${question}${otherwise && ` [${otherwise}]`}: `, false);
    return text || otherwise;
  }

  /** Resolves with a secret, which is not shown. @throws as `ask` */
  async askHidden(question: string): Promise<string> {
    const text = await this.#line(`${question} (hidden): `, true);
    this.#output.write("\n");
    return text;
  }

  close(): void {
    this.#lines.close();
  }

  #line(prompt: string, isHidden: boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      const onClose = () => reject(new UsageError("cancelled; nothing was written"));
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
