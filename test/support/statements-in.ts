/** Finds SQL in source code: in string literals and templates, also where they are joined with `+`. */

const statement = new RegExp(
  [
    /(?<![<\w])select\b[^;]*?\bfrom\s+[\w"?(]/,
    /\bselect\s+(?:\d|\*|distinct|(?:count|max|min|sum|coalesce|exists)\s*\()/,
    /\b(?:insert|replace)\s+(?:or\s+\w+\s+)?into\s+\w/,
    /\bdelete\s+from\s+\w/,
    /\bupdate\s+\w+\s+set\s+\w+\s*=/,
    /\b(?:create|drop|alter)\s+(?:temp\s+|unique\s+)?(?:table|index|view|trigger)\s+\w/,
    /\bpragma\s+\w/,
    /^\s*(?:begin|commit|rollback|savepoint \w+|release \w+|vacuum|attach)(?:\s+(?:immediate|exclusive|deferred|transaction|into))?\s*;?\s*$/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "is",
);

/** Returns the string literals of a source file that contain an SQL statement. */
export const statementsIn = (code: string): string[] =>
  textsOf(code)
    .map((text) => text.trim())
    .filter((text) => statement.test(text));

interface Literal {
  text: string;
  from: number;
  to: number;
}

/** The texts of a file: each literal, or several joined by `+`, with "?" for each expression in between. */
function textsOf(code: string): string[] {
  const joined: Literal[] = [];
  for (const literal of literalsOf(code)) {
    const last = joined.at(-1);
    const between = last && /^\s*\+\s*(?:([\w.$]+)\s*\+\s*)?$/.exec(code.slice(last.to, literal.from));
    if (last && between)
      joined[joined.length - 1] = { ...last, text: last.text + (between[1] ? "?" : "") + literal.text, to: literal.to };
    else joined.push(literal);
  }
  return joined.map(({ text }) => text);
}

/** Matches code after which a slash begins a regular expression. */
const beforeRegExp = /(?:^|[=(,:[!&|?{};+>]|\breturn|\btypeof)\s*$/;

/** Returns the literals of a file ordered by their end; literals inside `${}` of a template are separate entries. */
function literalsOf(code: string): Literal[] {
  const literals: Literal[] = [];
  let at = 0;

  function skipTo(end: string): void {
    const found = code.indexOf(end, at);
    at = found < 0 ? code.length : found + end.length;
  }

  function readQuoted(quote: string): void {
    const from = at;
    for (at += 1; at < code.length && code[at] !== quote; at += 1) if (code[at] === "\\") at += 1;
    at += 1;
    literals.push({ text: unescaped(code.slice(from + 1, at - 1)), from, to: at });
  }

  function readTemplate(): void {
    const from = at;
    let text = "";
    for (at += 1; at < code.length && code[at] !== "`"; ) {
      if (code.startsWith("${", at)) {
        at += 2;
        readCode("}");
        text += "?";
      } else {
        const length = code[at] === "\\" ? 2 : 1;
        text += code.slice(at, at + length);
        at += length;
      }
    }
    at += 1;
    literals.push({ text: unescaped(text), from, to: at });
  }

  /** Reads up to the closing bracket that matches no opening one. */
  function readCode(end: string): void {
    for (let depth = 0; at < code.length; ) {
      const sign = code[at] as string;
      if (code.startsWith("//", at)) skipTo("\n");
      else if (code.startsWith("/*", at)) skipTo("*/");
      else if (sign === '"' || sign === "'") readQuoted(sign);
      else if (sign === "`") readTemplate();
      else if (sign === "/" && beforeRegExp.test(code.slice(Math.max(0, at - 20), at))) readRegExp();
      else {
        at += 1;
        if (sign === "{") depth += 1;
        if (sign === end && depth === 0) return;
        if (sign === "}") depth -= 1;
      }
    }
  }

  function readRegExp(): void {
    let isClass = false;
    for (at += 1; at < code.length && (isClass || code[at] !== "/"); at += 1) {
      if (code[at] === "\\") at += 1;
      else if (code[at] === "[") isClass = true;
      else if (code[at] === "]") isClass = false;
    }
    at += 1;
  }

  readCode("");
  return literals;
}

const unescaped = (text: string): string =>
  text.replaceAll(
    /\\(?:(?:u|x)(?:\{([0-9a-f]+)\}|((?<=u)[0-9a-f]{4}|(?<=x)[0-9a-f]{2}))|(.))/gis,
    (_, braced, plain, sign) =>
      sign === undefined
        ? String.fromCodePoint(Number.parseInt(braced ?? plain, 16))
        : sign === "n" || sign === "t"
          ? " "
          : sign,
  );
