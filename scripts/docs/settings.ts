/** Generates the reference of the settings and `.env.example`, from the table of settings. */
import type { Setting } from "../../src/settings/setting.ts";
import { sections } from "../../src/settings/table.ts";
import { table } from "./markdown.ts";

const width = 120;

const isRequired = ({ secret, default: fallback }: Setting): boolean => secret === "always" && fallback === "";

const namesOf = ({ name, secret }: Setting): string => (secret ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``);

function defaultOf(setting: Setting): string {
  if (isRequired(setting)) return "required";
  return setting.default ? `\`${setting.default}\`` : "none";
}

/** Returns one table per section. */
export const settings = (): string =>
  sections
    .map(({ title, note, settings }) => {
      const rows = Object.values(settings).map((one) => [namesOf(one), defaultOf(one), one.description]);
      return [`## ${title}`, ...(note ? [note] : []), table(["setting", "default", "meaning"], rows)].join("\n\n");
    })
    .join("\n\n");

const introduction = [
  "Every setting with its default. Copy to .env, fill in the key, keep the file to yourself: chmod 600 .env",
  "A value with # in it needs quotes: 'like#this'. The environment takes precedence over this file.",
  "Every secret can be read from a file instead: set the name with _FILE appended to its path.",
];

const comment = (text: string): string[] =>
  (text.replaceAll("`", "").match(/.{1,118}(?: |$)/g) ?? []).map((line) => `# ${line.trimEnd()}`);

/** Returns the text of `.env.example`: required settings to fill in, all others as comments with their defaults. */
export function envExample(): string {
  const blocks = sections.map(({ title, note, settings }) => [
    `# --- ${title} `.padEnd(width, "-"),
    ...(note ? [...comment(note), ""] : []),
    ...Object.values(settings).flatMap((one) => [
      ...comment(one.description),
      `${isRequired(one) ? "" : "#"}${one.name}=${one.default ?? ""}`,
    ]),
  ]);
  const head = introduction.map((line) => `# ${line}`);
  return `${[head, ...blocks].map((lines) => lines.join("\n")).join("\n\n")}\n`;
}
