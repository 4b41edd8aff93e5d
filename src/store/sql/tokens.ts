/** Splits SQL into tokens as SQLite does, without parsing it. */

/** A token of a statement. */
export interface Token {
  kind: "word" | "quoted" | "string" | "number" | "symbol";
  /** Its start and end offsets in the statement. */
  from: number;
  to: number;
  /** A keyword or bare name in capitals, or a symbol; "" for anything quoted. */
  word: string;
}

const pattern =
  /(?<space>\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<string>x?'(?:[^']|'')*'?)|(?<quoted>"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?)|(?<number>(?:0x[\da-f]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:e[+-]?\d+)?))|(?<word>[a-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<symbol>->>|->|\|\||<<|>>|<=|>=|<>|!=|==|[\s\S])/giu;

/** Returns the tokens of a statement, without white space and comments. */
export function tokensOf(sql: string): Token[] {
  return [...sql.matchAll(pattern)].flatMap((match): Token[] => {
    const kind = (["string", "quoted", "number", "word", "symbol"] as const).find((name) => match.groups?.[name]);
    if (kind === undefined) return [];
    const word = kind === "word" || kind === "symbol" ? match[0].toUpperCase() : "";
    return [{ kind, from: match.index, to: match.index + match[0].length, word }];
  });
}
