/** Writes the ledger in the import format of a tax program, and names what the format cannot say. */
import { type Paced, pause } from "../../core/async/cooperate.ts";
import { UsageError } from "../../core/errors.ts";
import { writeAtomically } from "../../output/atomic-file.ts";
import { type Span, spanOf } from "../../queries/periods.ts";
import type { Source } from "../../queries/source.ts";
import type { Format } from "../../reports/formats/format.ts";
import { formats, linesFor, Omissions } from "../../reports/formats/index.ts";
import { inPieces } from "../../reports/render.ts";
import { requireForeignFile } from "../../store/responses/own-files.ts";
import type { CommandInput } from "../command.ts";
import { textOption } from "../shared/option.ts";
import { knownNames } from "../terminal/suggest.ts";

/** Returns the format of --for; null without it. @throws UsageError for an unknown one, and for another report than the ledger */
export function formatOf(report: string, options: CommandInput["options"]): Format | null {
  const name = textOption(options, "for");
  if (name === undefined) return null;
  const names = formats.map((format) => format.name);
  const format = formats.find((one) => one.name === name);
  if (!format) throw new UsageError(`unknown --for "${name}"${knownNames("formats", name, names)}`);
  if (report !== "ledger") throw new UsageError(`--for is for the ledger: report ledger --for ${name}`);
  return format;
}

/** Where the file goes: to a path, or to stdout. */
export interface Target {
  path: string | null;
  databasePath: string;
}

/** Writes the file, and beside it the entries that are not in it. Says on stderr what they are. Resolves with whether the file has no rows. */
export async function writeFor(
  format: Format,
  source: Source,
  span: Span,
  { path, databasePath }: Target,
  { write, printError }: Pick<CommandInput, "write" | "printError">,
): Promise<boolean> {
  const accounts = source.history.accounts();
  if (!format.hasAccounts && source.account === null && accounts.length > 1)
    throw new UsageError(`a file for ${format.name} is of one account; add --account with ${accounts.join(" or ")}`);
  const omissions = new Omissions();
  const whole = spanOf(span) ?? { from: span.from, to: span.from };
  // The header is a line, too.
  let lines = 0;
  function* counted(): Paced<string> {
    for (const line of linesFor(format, source, whole, omissions)) {
      if (line !== pause) lines += 1;
      yield line;
    }
  }
  const pieces = inPieces(counted());
  if (path === null) {
    for await (const text of pieces) if (!(await write(text))) return false;
  } else {
    await writeAtomically(path, pieces);
    printError(`${path} was written`);
  }
  for (const sentence of omissions.sentences()) printError(sentence);
  const rest = omissions.csv();
  if (path === null || rest === null) return lines <= 1;
  const restPath = path.replace(/(\.csv)?$/i, "-left-out.csv");
  requireForeignFile(restPath, databasePath);
  await writeAtomically(restPath, [rest]);
  printError(`${restPath} has the entries that are not in the file`);
  return lines <= 1;
}
