/** Which one value was altered, where the digest of what it was is known: the values next to it are tried. */
import type { Value } from "../../core/domain.ts";

export interface Altered {
  /** Which of the rows, and which of its cells. */
  row: number;
  at: number;
  was: Value;
}

/** So many guesses take a second or two; more than one altered value is not found by guessing. */
const mostGuesses = 100_000;

/**
 * Tries rows of cells with one other digit, letter or byte until one `fits`; null where none does. Characters are tried in
 * all of the rows before bytes, which are more and less likely.
 */
export function createSearch() {
  let left = mostGuesses;
  return function search(
    rows: readonly (readonly Value[])[],
    fits: (cells: readonly Value[], row: number) => boolean,
  ): Altered | null {
    for (const near of [oneCharacter, oneByte])
      for (const [row, cells] of rows.entries())
        for (const [at, cell] of cells.entries())
          for (const was of near(cell)) {
            left -= 1;
            if (left < 0) return null;
            if (fits(cells.with(at, was), row)) return { row, at, was };
          }
    return null;
  };
}

export type Search = ReturnType<typeof createSearch>;

const digits = "0123456789.-";
const printable = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join("");
const isAmount = (text: string): boolean => /^[0-9.CDEF-]+$/.test(text);

function* oneCharacter(value: Value): Generator<Value> {
  if (value === null) return;
  const text = String(value);
  const alphabet = typeof value === "number" ? digits.slice(0, 10) : isAmount(text) ? digits : printable;
  for (let at = 0; at < text.length; at += 1)
    for (const character of alphabet) {
      if (character === text[at]) continue;
      const near = text.slice(0, at) + character + text.slice(at + 1);
      yield typeof value === "number" ? Number(near) : near;
    }
}

/** Amounts are stored two characters to the byte. */
function* oneByte(value: Value): Generator<Value> {
  if (typeof value === "number") {
    for (let unit = 1; unit <= 256 ** 5; unit *= 256)
      for (let byte = 0; byte < 256; byte += 1) yield value + (byte - (Math.floor(value / unit) % 256)) * unit;
  } else if (value !== null && isAmount(value)) {
    for (let at = 0; at < value.length; at += 2)
      for (const one of digits)
        for (const other of [...digits, ""]) yield value.slice(0, at) + one + other + value.slice(at + 2);
  }
}
