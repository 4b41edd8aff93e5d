/** Parses the options for amounts in another currency. */
import { readFileSync } from "node:fs";
import { ConfigError, UsageError } from "../../core/errors.ts";
import { ecbRates, parseEcb } from "../../reports/currency/ecb.ts";
import { inCurrency } from "../../reports/currency/in-currency.ts";
import { type ReportInCurrency, recordedRates } from "../../reports/currency/rates.ts";
import { reports } from "../../reports/index.ts";
import type { Report } from "../../reports/report.ts";
import type { CommandInput } from "../command.ts";
import { textOption } from "../shared/option.ts";

/**
 * Returns the report with amounts in the currency of --currency, or unchanged without it, and a function that says, once it was read,
 * which rates are missing (null: none). @throws UsageError, ConfigError
 */
export function withCurrency(
  report: Report,
  options: CommandInput["options"],
): { report: Report; missingRates(): string | null } {
  const [currency, file] = [textOption(options, "currency"), textOption(options, "rates")];
  if (currency === undefined) {
    if (file !== undefined) throw new UsageError("--rates needs --currency, such as --currency EUR");
    return { report, missingRates: () => null };
  }
  if (!/^[A-Z]{3}$/.test(currency)) {
    const suggested = /^[a-z]{3}$/i.test(currency) ? `; did you mean ${currency.toUpperCase()}?` : "";
    throw new UsageError(`--currency "${currency}" is not a code such as EUR${suggested}`);
  }
  if (!report.money) {
    const names = reports.filter(({ money }) => money).map(({ name }) => name);
    throw new UsageError(`${report.name} has no amounts in USDT, unlike ${names.join(", ")}`);
  }
  const withRates = (found: ReportInCurrency, rate: string, hint: string) => ({
    report: found,
    missingRates: () => missingText(found.unrated, currency, rate, hint),
  });
  if (file === undefined)
    return withRates(
      inCurrency(report, currency, (source) => recordedRates(source, currency)),
      `price of ${currency}USDT is recorded`,
      `For the rates of the ECB, download ${ecbFile} and add --rates eurofxref-hist.zip.`,
    );
  const rates = parseEcb(contentOf(file));
  if (rates.size === 0)
    throw new ConfigError([
      `${file} has no reference rates. It must be eurofxref-hist.zip, its CSV file, or the XML of the European Central Bank.`,
    ]);
  return withRates(
    inCurrency(report, currency, () => ecbRates(rates, currency)),
    `rate of ${currency === "EUR" ? "EUR/USD" : `EUR/USD and EUR/${currency}`} is in ${file}`,
    `The ECB publishes none at weekends; for later days download ${ecbFile} again.`,
  );
}

const ecbFile = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip";

/** Returns which rate is missing, for which days, and what to do about it; null if none is. */
function missingText(days: ReadonlySet<string>, currency: string, rate: string, hint: string): string | null {
  const [first, ...others] = [...days].sort();
  if (first === undefined) return null;
  const when = others.length === 0 ? first : `${days.size} days from ${first} to ${others.at(-1)}`;
  return `No ${rate} for ${when}: amounts in ${currency} are empty there. ${hint}`;
}

function contentOf(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConfigError([`${file} cannot be read (${(error as NodeJS.ErrnoException).code}). Name a file of rates.`]);
  }
}
