/** Parses the text format of Prometheus strictly: https://prometheus.io/docs/instrumenting/exposition_formats/ */

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const label = String.raw`[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"`;
const sample = new RegExp(String.raw`^([a-zA-Z_:][\w:]*)(?:\{((?:${label}(?:,${label})*)?)\})? (\S+)$`);
const comment =
  /^# (?:HELP [a-zA-Z_:][\w:]* [^\n]+|TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped))$/;

/** @throws Error naming the malformed line, the duplicate sample, or the sample without a TYPE comment */
export function parseExposition(text: string): Sample[] {
  if (!text.endsWith("\n")) throw new Error("the last line has no line feed");
  const types = new Map<string, string>();
  const keys = new Set<string>();
  const samples: Sample[] = [];
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const [matched, typed, type] = comment.exec(line) ?? [];
    if (typed && type) types.set(typed, type);
    if (matched) continue;
    const [, name = "", labels = "", number = ""] = sample.exec(line) ?? [];
    const value = /^[+-]?Inf$/.test(number) ? Number.POSITIVE_INFINITY : Number(number);
    if (name === "" || (Number.isNaN(value) && !/^nan$/i.test(number))) throw new Error(`not a sample: ${line}`);
    if (!types.has(name) && !types.has(name.replace(/_(bucket|sum|count)$/, ""))) throw new Error(`no type: ${line}`);
    const key = `${name}{${labels}}`;
    if (keys.has(key)) throw new Error(`twice: ${line}`);
    keys.add(key);
    samples.push({ name, value, labels: labelsOf(labels) });
  }
  return samples;
}

const labelsOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = "", value = ""]) => [
      name,
      value.replace(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped)),
    ]),
  );
