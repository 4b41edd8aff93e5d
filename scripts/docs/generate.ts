/**
 * Finds the generated sections of the documentation and computes their content. A section is between `<!-- generated: NAME -->` and
 * `<!-- end -->`; its content is returned by the function of that name below.
 */
import { readdirSync, readFileSync } from "node:fs";
import { apiTables } from "./api.ts";
import { commands } from "./commands.ts";
import { datasets } from "./datasets.ts";
import { dictionary } from "./dictionary.ts";
import { metrics } from "./metrics.ts";
import { reportColumns } from "./reports.ts";
import { envExample, settings } from "./settings.ts";

/** Markdown of each section, without the markers. */
const sections: Record<string, () => string | Promise<string>> = {
  "api tables": apiTables,
  commands,
  datasets,
  metrics,
  "report columns": reportColumns,
  settings,
  views: dictionary,
};

/** Files that are generated as a whole. */
const wholeFiles: Record<string, () => string> = { ".env.example": envExample };

export interface GeneratedFile {
  before: string;
  after: string;
}

const section = /(<!-- generated: ([a-z ]+) -->\n)[\s\S]*?(<!-- end -->)/g;

/** Markdown files of the documentation, in a fixed order. */
export const pages = (): string[] => {
  const inDocs = readdirSync("docs", { recursive: true, encoding: "utf8" }).map(
    (path) => `docs/${path.replaceAll("\\", "/")}`,
  );
  return ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...inDocs.filter((path) => path.endsWith(".md")).sort()];
};

/**
 * Returns every generated file, and every page with a generated section, as it is and as it must be.
 * @throws Error if a page names an unknown section
 */
export async function generatedFiles(): Promise<Map<string, GeneratedFile>> {
  const found = new Map<string, GeneratedFile>();
  for (const [path, generate] of Object.entries(wholeFiles))
    found.set(path, { before: readFileSync(path, "utf8"), after: generate() });
  for (const path of pages()) {
    const before = readFileSync(path, "utf8");
    let after = before;
    for (const [whole, start = "", name = "", end = ""] of before.matchAll(section)) {
      const generate = sections[name];
      if (!generate) throw new Error(`${path}: unknown generated section "${name}"`);
      const text = await generate();
      after = after.replace(whole, () => `${start}\n${text.trim()}\n\n${end}`);
    }
    if (section.test(before)) found.set(path, { before, after });
    section.lastIndex = 0;
  }
  return found;
}
