/**
 * `COLLATE decimal` on connections that cannot be given a collation: each operand becomes a key whose bytes are ordered as
 * the numbers are. Only where that means the same as in SQLite; anywhere else the statement is refused, never guessed at.
 */
import { QueryError } from "../../core/errors.ts";
import { type Token, tokensOf } from "./tokens.ts";

/** Text put in at a place, in place of what was there up to `to`. */
interface Edit {
  from: number;
  to: number;
  text: string;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

const comparisons = words("= == <> != < <= > >= IS");
/** What stands before an expression, or after one, so that nothing of it is left out. */
const before = words("WHERE AND OR NOT ON HAVING WHEN THEN ELSE SELECT DISTINCT BY ( ,");
const after = words(
  "AND OR ) , ; THEN ELSE END AS FROM WHERE GROUP HAVING ORDER LIMIT WINDOW UNION EXCEPT INTERSECT WHEN JOIN LEFT RIGHT FULL INNER CROSS NATURAL",
);
const afterTerm = words("ASC DESC NULLS ) , ; HAVING ORDER LIMIT WINDOW UNION EXCEPT INTERSECT ROWS RANGE GROUPS");
const afterResults = words("FROM WHERE GROUP HAVING ORDER LIMIT WINDOW UNION EXCEPT INTERSECT");
/** Words that are no name of a function or column. */
const keywords = words(
  "AND OR NOT IN IS LIKE GLOB BETWEEN EXISTS CASE WHEN THEN ELSE END SELECT DISTINCT ALL FROM WHERE GROUP HAVING ORDER BY LIMIT ON USING AS VALUES OVER FILTER COLLATE NULL ASC DESC UNION EXCEPT INTERSECT ESCAPE MATCH REGEXP",
);

/** @throws QueryError where the collation stands in a place in which it cannot be replaced */
export function rewriteCollation(sql: string): string {
  const tokens = tokensOf(sql);
  const at = (index: number): string => tokens[index]?.word ?? "";
  const nameAt = (index: number): string => {
    const { from = 0, to = 0 } = tokens[index] ?? {};
    return sql
      .slice(from, to)
      .replace(/^["`[](.*)["`\]]$/s, "$1")
      .toLowerCase();
  };
  const found = tokens.flatMap(({ word }, index) =>
    word === "COLLATE" && nameAt(index + 1) === "decimal" ? [index] : [],
  );
  if (found.length === 0) return sql;
  const { closing, opening, clauses } = structureOf(tokens);
  const isName = (index: number): boolean =>
    tokens[index]?.kind === "quoted" || (tokens[index]?.kind === "word" && !keywords.has(at(index)));
  const edits: Edit[] = [];
  const handled = new Set<number>();

  /** The first token of the operand that ends before `end`: a name, a text, a call or a parenthesis. */
  function operandBefore(end: number): number | null {
    const last = end - 1;
    if (at(last) === ")") {
      const open = opening.get(last) ?? 0;
      if (isName(open - 1)) return open - 1;
      return before.has(at(open - 1)) || comparisons.has(at(open - 1)) ? open : null;
    }
    if (tokens[last]?.kind === "string") return last;
    if (!isName(last)) return null;
    let first = last;
    while (at(first - 1) === ".") first -= 2;
    return first;
  }

  /** The token after the operand that begins at `first`. */
  function operandAfter(first: number): number | null {
    if (tokens[first]?.kind === "string") return first + 1;
    if (at(first) === "(") return (closing.get(first) ?? first) + 1;
    if (!isName(first)) return null;
    let last = first;
    while (at(last + 1) === ".") last += 2;
    return at(last + 1) === "(" ? (closing.get(last + 1) ?? last) + 1 : last + 1;
  }

  const isEnd = (index: number, ends: ReadonlySet<string>): boolean => index >= tokens.length || ends.has(at(index));
  const insert = (index: number, text: string): void => {
    const place = tokens[index]?.from ?? sql.length;
    edits.push({ from: place, to: place, text });
  };
  /** Puts an operand into a call: tokens `first` to `end`, without the collation that may stand behind it. */
  function wrap(name: string, first: number, end: number): number {
    insert(first, `${name}(`);
    const last = tokens[end - 1]?.to ?? 0;
    const collated = found.includes(end);
    edits.push({ from: last, to: collated ? (tokens[end + 1]?.to ?? last) : last, text: ")" });
    if (collated) handled.add(end);
    return collated ? end + 2 : end;
  }

  /** min and max give back one of the values, so the value travels with its key. */
  function inExtreme(first: number, index: number): boolean {
    const close = index + 2;
    const isCall = at(first - 1) === "(" && ["MIN", "MAX"].includes(at(first - 2)) && at(close) === ")";
    if (!isCall || ["OVER", "FILTER"].includes(at(close + 1))) return false;
    insert(first - 2, "decimal_text(");
    wrap("decimal_tagged", first, index);
    edits.push({ from: tokens[close]?.to ?? 0, to: tokens[close]?.to ?? 0, text: ")" });
    return true;
  }

  function inTerm(first: number, index: number): boolean {
    const { clause, select } = clauses[index] ?? {};
    if (clause === undefined || !["BY", ","].includes(at(first - 1)) || !isEnd(index + 2, afterTerm)) return false;
    const alias = clause === "ORDER" && first === index - 1 ? expressionNamed(nameAt(first), select) : null;
    wrap("decimal_key", first, index);
    // A result's name goes before a column's in ORDER BY, but not inside a call.
    if (alias !== null) edits.push({ from: tokens[first]?.from ?? 0, to: tokens[first]?.to ?? 0, text: `(${alias})` });
    return true;
  }

  /** The expression that a SELECT gives this name to; null where it gives it to none. */
  function expressionNamed(name: string, select: number | undefined): string | null {
    if (select === undefined) return null;
    let from = ["DISTINCT", "ALL"].includes(at(select + 1)) ? select + 2 : select + 1;
    for (let index = from; index < tokens.length; index += 1) {
      index = closing.get(index) ?? index;
      const next = at(index + 1);
      if ((next !== "," && !afterResults.has(next)) || at(index) === "DISTINCT") continue;
      const isAlias = index > from && at(index - 1) !== "." && nameAt(index) === name && isNamed(index);
      if (isAlias)
        return rewriteCollation(
          sql.slice(tokens[from]?.from, tokens[at(index - 1) === "AS" ? index - 2 : index - 1]?.to),
        );
      if (next !== ",") return null;
      from = index + 2;
    }
    return null;
  }

  /** A name right after an operand, with or without AS, names a result. */
  function isNamed(index: number): boolean {
    if (at(index - 1) === "AS") return true;
    const { kind = "symbol", word = "" } = tokens[index - 1] ?? {};
    return isName(index) && (kind !== "symbol" ? !keywords.has(word) || ["END", "NULL"].includes(word) : word === ")");
  }

  function inComparison(first: number, index: number): boolean {
    const behind = index + 2;
    if (comparisons.has(at(behind))) return compared(first, index, behind);
    const sign = at(first - 1) === "NOT" && at(first - 2) === "IS" ? first - 2 : first - 1;
    if (!comparisons.has(at(sign))) return false;
    const other = operandBefore(sign);
    return other !== null && compared(other, sign, sign);
  }

  /** Tokens `left` to `leftEnd`, the comparison at `sign`, and what stands behind it. */
  function compared(left: number, leftEnd: number, sign: number): boolean {
    const right = at(sign) === "IS" && at(sign + 1) === "NOT" ? sign + 2 : sign + 1;
    const end = operandAfter(right);
    if (end === null || !before.has(at(left - 1))) return false;
    if (!isEnd(found.includes(end) ? end + 2 : end, after)) return false;
    wrap("decimal_side", left, leftEnd);
    wrap("decimal_side", right, end);
    return true;
  }

  for (const index of found) {
    if (handled.has(index)) continue;
    const first = operandBefore(index);
    if (first === null || !(inExtreme(first, index) || inTerm(first, index) || inComparison(first, index)))
      throw refusal();
  }
  return applied(sql, edits);
}

const refusal = (): QueryError =>
  new QueryError(
    "COLLATE decimal is understood here behind a column, a call or a parenthesis in ORDER BY, GROUP BY, PARTITION BY, min(), max() and comparisons; decimal_cmp(a, b) compares anywhere",
  );

/** Matching parentheses, and for each token the clause whose terms it is among and where the SELECT of its level began. */
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

/** Of two calls that begin at one place the one found later is the outer one. */
function applied(sql: string, edits: readonly Edit[]): string {
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
