/** Answers questions that arrive in the same turn of the event loop together. */

interface Waiting<Question, Answer> {
  question: Question;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export class Batch<Question, Answer> {
  readonly #answer: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  #waiting: Waiting<Question, Answer>[] = [];

  /** `answer` returns the answers in the order of the questions. */
  constructor(answer: (questions: readonly Question[]) => Promise<readonly Answer[]>) {
    this.#answer = answer;
  }

  /** Rejects as `answer` does for the questions of this turn. */
  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#answerAll());
      this.#waiting.push({ question, resolve, reject });
    });
  }

  #answerAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#answer(waiting.map(({ question }) => question)).then(
      (answers) => {
        for (const [at, { resolve }] of waiting.entries()) resolve(answers[at] as Answer);
      },
      (error: unknown) => {
        for (const { reject } of waiting) reject(error);
      },
    );
  }
}
