/**
 * Emulates `COLLATE decimal`, because better-sqlite3 cannot register collations: each operand is replaced with a key whose byte
 * order is the order of the numbers. A statement in which that could differ from SQLite is rejected.
 */
import { QueryError } from "../../core/errors.ts";
import { type Token, tokensOf } from "./tokens.ts";

/** Replaces the text between two positions of the statement. */
interface Edit {
  from: number;
  to: number;
  text: string;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

const comparisons = words("= == <> != < <= > >= IS");
/** Tokens that delimit a complete expression on the left and on the right. */
const before = words("WHERE AND OR NOT ON HAVING WHEN THEN ELSE SELECT DISTINCT BY ( ,");
const after = words(
  "AND OR ) , ; THEN ELSE END AS FROM WHERE GROUP HAVING ORDER LIMIT WINDOW UNION EXCEPT INTERSECT WHEN JOIN LEFT RIGHT FULL INNER CROSS NATURAL",
);
const afterTerm = words("ASC DESC NULLS ) , ; HAVING ORDER LIMIT WINDOW UNION EXCEPT INTERSECT ROWS RANGE GROUPS");
const afterResults = words("FROM WHERE GROUP HAVING ORDER LIMIT WINDOW UNION EXCEPT INTERSECT");
/** Words that cannot name a function or column. */
const keywords = words(
  "AND OR NOT IN IS LIKE GLOB BETWEEN EXISTS CASE WHEN THEN ELSE END SELECT DISTINCT ALL FROM WHERE GROUP HAVING ORDER BY LIMIT ON USING AS VALUES OVER FILTER COLLATE NULL ASC DESC UNION EXCEPT INTERSECT ESCAPE MATCH REGEXP",
);

/**
 * Returns the statement with every `COLLATE decimal` replaced; the same text where there is none.
 * @throws QueryError where the collation occurs in a place where it cannot be replaced
 */
export const rewriteCollation = (sql: string): string => new Rewriter(sql).rewrite();

/** Rewrites one statement. */
class Rewriter {
  readonly #sql: string;
  readonly #tokens: readonly Token[];
  readonly #structure: ReturnType<typeof structureOf>;
  /** The indexes of the token COLLATE of each `COLLATE decimal`. */
  readonly #found: readonly number[];
  readonly #handled = new Set<number>();
  readonly #edits: Edit[] = [];

  constructor(sql: string) {
    this.#sql = sql;
    this.#tokens = tokensOf(sql);
    this.#structure = structureOf(this.#tokens);
    this.#found = [...this.#tokens.keys()].filter(
      (index) => this.#at(index) === "COLLATE" && this.#nameAt(index + 1) === "decimal",
    );
  }

  rewrite(): string {
    for (const index of this.#found) {
      if (this.#handled.has(index)) continue;
      const first = this.#operandBefore(index);
      const isReplaced =
        first !== null &&
        (this.#inExtreme(first, index) || this.#inTerm(first, index) || this.#inComparison(first, index));
      if (!isReplaced) throw unsupported();
    }
    return applyEdits(this.#sql, this.#edits);
  }

  #at(index: number): string {
    return this.#tokens[index]?.word ?? "";
  }

  #nameAt(index: number): string {
    const { from = 0, to = 0 } = this.#tokens[index] ?? {};
    const text = this.#sql.slice(from, to);
    return text.replace(/^["`[](.*)["`\]]$/s, "$1").toLowerCase();
  }

  #isName(index: number): boolean {
    const kind = this.#tokens[index]?.kind;
    return kind === "quoted" || (kind === "word" && !keywords.has(this.#at(index)));
  }

  #isEnd(index: number, ends: ReadonlySet<string>): boolean {
    return index >= this.#tokens.length || ends.has(this.#at(index));
  }

  /** Returns the first token of the operand that ends before `end` (a name, a string, a call or a parenthesis); null where none does. */
  #operandBefore(end: number): number | null {
    const last = end - 1;
    if (this.#at(last) === ")") {
      const open = this.#structure.opening.get(last) ?? 0;
      if (this.#isName(open - 1)) return open - 1;
      return before.has(this.#at(open - 1)) || comparisons.has(this.#at(open - 1)) ? open : null;
    }
    if (this.#tokens[last]?.kind === "string") return last;
    if (!this.#isName(last)) return null;
    let first = last;
    while (this.#at(first - 1) === ".") first -= 2;
    return first;
  }

  /** Returns the token after the operand that begins at `first`; null where no operand begins there. */
  #operandAfter(first: number): number | null {
    const { closing } = this.#structure;
    if (this.#tokens[first]?.kind === "string") return first + 1;
    if (this.#at(first) === "(") return (closing.get(first) ?? first) + 1;
    if (!this.#isName(first)) return null;
    let last = first;
    while (this.#at(last + 1) === ".") last += 2;
    return this.#at(last + 1) === "(" ? (closing.get(last + 1) ?? last) + 1 : last + 1;
  }

  #insert(place: number, text: string): void {
    this.#edits.push({ from: place, to: place, text });
  }

  /** Wraps the operand of tokens `first` to `end` in a call, and removes the collation if one follows it. */
  #wrap(name: string, first: number, end: number): void {
    this.#insert(this.#tokens[first]?.from ?? this.#sql.length, `${name}(`);
    const last = this.#tokens[end - 1]?.to ?? 0;
    const isCollated = this.#found.includes(end);
    this.#edits.push({ from: last, to: isCollated ? (this.#tokens[end + 1]?.to ?? last) : last, text: ")" });
    if (isCollated) this.#handled.add(end);
  }

  /** Handles min() and max(), which return one of the values, so each key carries its value. Returns false elsewhere. */
  #inExtreme(first: number, index: number): boolean {
    const close = index + 2;
    const isCall =
      this.#at(first - 1) === "(" && ["MIN", "MAX"].includes(this.#at(first - 2)) && this.#at(close) === ")";
    if (!isCall || ["OVER", "FILTER"].includes(this.#at(close + 1))) return false;
    this.#insert(this.#tokens[first - 2]?.from ?? 0, "decimal_text(");
    this.#wrap("decimal_tagged", first, index);
    this.#insert(this.#tokens[close]?.to ?? 0, ")");
    return true;
  }

  /** Handles a term of ORDER BY, GROUP BY or PARTITION BY. Returns false elsewhere. */
  #inTerm(first: number, index: number): boolean {
    const { clause, select } = this.#structure.clauses[index] ?? {};
    if (clause === undefined || !["BY", ","].includes(this.#at(first - 1)) || !this.#isEnd(index + 2, afterTerm))
      return false;
    const isAlone = clause === "ORDER" && first === index - 1;
    const expression = isAlone ? this.#expressionNamed(this.#nameAt(first), select) : null;
    this.#wrap("decimal_key", first, index);
    // In ORDER BY an alias takes precedence over a column, but not inside a call, so the expression replaces the alias.
    const { from = 0, to = 0 } = this.#tokens[first] ?? {};
    if (expression !== null) this.#edits.push({ from, to, text: `(${expression})` });
    return true;
  }

  /** Returns the expression whose alias in a SELECT is `name`; null where there is none. */
  #expressionNamed(name: string, select: number | undefined): string | null {
    if (select === undefined) return null;
    let from = ["DISTINCT", "ALL"].includes(this.#at(select + 1)) ? select + 2 : select + 1;
    for (let index = from; index < this.#tokens.length; index += 1) {
      index = this.#structure.closing.get(index) ?? index;
      const next = this.#at(index + 1);
      if ((next !== "," && !afterResults.has(next)) || this.#at(index) === "DISTINCT") continue;
      if (index > from && this.#nameAt(index) === name && this.#isAlias(index)) {
        const last = this.#tokens[this.#at(index - 1) === "AS" ? index - 2 : index - 1];
        return rewriteCollation(this.#sql.slice(this.#tokens[from]?.from, last?.to));
      }
      if (next !== ",") return null;
      from = index + 2;
    }
    return null;
  }

  /** Returns whether the token is an alias: a name right after an operand, with or without AS. */
  #isAlias(index: number): boolean {
    const { kind = "symbol", word = "" } = this.#tokens[index - 1] ?? {};
    if (word === "AS") return true;
    if (!this.#isName(index)) return false;
    return kind === "symbol" ? word === ")" : !keywords.has(word) || ["END", "NULL"].includes(word);
  }

  /** Handles a comparison. Returns false elsewhere. */
  #inComparison(first: number, index: number): boolean {
    const next = index + 2;
    if (comparisons.has(this.#at(next))) return this.#compared(first, index, next);
    const sign = this.#at(first - 1) === "NOT" && this.#at(first - 2) === "IS" ? first - 2 : first - 1;
    if (!comparisons.has(this.#at(sign))) return false;
    const other = this.#operandBefore(sign);
    return other !== null && this.#compared(other, sign, sign);
  }

  /** Handles a comparison of the operand of tokens `left` to `leftEnd` with the one after the operator at `sign`. */
  #compared(left: number, leftEnd: number, sign: number): boolean {
    const right = this.#at(sign) === "IS" && this.#at(sign + 1) === "NOT" ? sign + 2 : sign + 1;
    const end = this.#operandAfter(right);
    if (end === null || !before.has(this.#at(left - 1))) return false;
    if (!this.#isEnd(this.#found.includes(end) ? end + 2 : end, after)) return false;
    this.#wrap("decimal_side", left, leftEnd);
    this.#wrap("decimal_side", right, end);
    return true;
  }
}

const unsupported = (): QueryError =>
  new QueryError(
    "COLLATE decimal is supported only after a column, a call or a parenthesis, in ORDER BY, GROUP BY, PARTITION BY, min(), max() and comparisons; use decimal_cmp(a, b) elsewhere",
  );

/** Returns the matching parentheses, and for each token the clause that it belongs to and the index of the SELECT of its level. */
function structureOf(tokens: readonly Token[]) {
  const closing = new Map<number, number>();
  const opening = new Map<number, number>();
  const clauses: { clause?: string; select?: number }[] = [];
  const levels: { open: number; clause?: string; select?: number }[] = [{ open: -1 }];
  for (const [index, { word }] of tokens.entries()) {
    let level = levels.at(-1) ?? { open: -1 };
    if (word === ")" && levels.length > 1) {
      opening.set(index, level.open);
      closing.set(level.open, index);
      levels.pop();
      level = levels.at(-1) ?? level;
    }
    if (word === "SELECT") levels[levels.length - 1] = level = { open: level.open, select: index };
    else if (["ORDER", "GROUP", "PARTITION"].includes(word)) level.clause = word;
    else if (
      ["FROM", "WHERE", "HAVING", "LIMIT", "WINDOW", "UNION", "EXCEPT", "INTERSECT", "ROWS", "RANGE"].includes(word)
    )
      delete level.clause;
    clauses.push({ ...level });
    if (word === "(") levels.push({ open: index });
  }
  return { closing, opening, clauses };
}

/** Returns the statement with the edits applied. Of two calls that begin at one position, the one found later is the outer one. */
function applyEdits(sql: string, edits: readonly Edit[]): string {
  const opens = ({ text }: Edit): boolean => text.endsWith("(");
  const inOrder = edits.map((edit, found) => ({ ...edit, found }));
  inOrder.sort((a, b) => {
    if (a.from !== b.from) return a.from - b.from;
    if (opens(a) !== opens(b)) return opens(a) ? -1 : 1;
    return opens(a) ? b.found - a.found : a.found - b.found;
  });
  let text = "";
  let done = 0;
  for (const edit of inOrder) {
    text += sql.slice(done, edit.from) + edit.text;
    done = Math.max(done, edit.to);
  }
  return text + sql.slice(done);
}
