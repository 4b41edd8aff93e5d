/** The text format of Prometheus, read strictly: https://prometheus.io/docs/instrumenting/exposition_formats/ */

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const label = String.raw`[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"`;
const sample = new RegExp(String.raw`^([a-zA-Z_:][\w:]*)(?:\{((?:${label}(?:,${label})*)?)\})? (\S+)$`);
const comment =
  /^# (?:HELP [a-zA-Z_:][\w:]* [^\n]+|TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped))$/;

/** @throws Error naming the line that is not as it should be, or the sample whose type was not said */
export function parseExposition(text: string): Sample[] {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const types = new Map<string, string>();
  const seen = new Set<string>();
  const samples: Sample[] = [];
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const [said, typed, type] = comment.exec(line) ?? [];
    if (typed && type) types.set(typed, type);
    if (said) continue;
    const [, name = "", labels = "", number = ""] = sample.exec(line) ?? [];
    const value = /^[+-]?Inf$/.test(number) ? Number.POSITIVE_INFINITY : Number(number);
    if (name === "" || (Number.isNaN(value) && !/^nan$/i.test(number))) throw new Error(`not a sample: ${line}`);
    if (!types.has(name) && !types.has(name.replace(/_(bucket|sum|count)$/, ""))) throw new Error(`no type: ${line}`);
    const key = `${name}{${labels}}`;
    if (seen.has(key)) throw new Error(`twice: ${line}`);
    seen.add(key);
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
