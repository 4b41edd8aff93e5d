/** Parses the options for amounts in another currency. */
import { readFileSync } from "node:fs";
import { ConfigError, UsageError } from "../../core/errors.ts";
import { ecbRates, parseEcb } from "../../reports/currency/ecb.ts";
import { inCurrency } from "../../reports/currency/in-currency.ts";
import { recordedRates } from "../../reports/currency/rates.ts";
import { reports } from "../../reports/index.ts";
import type { Report } from "../../reports/report.ts";
import type { CommandInput } from "../command.ts";
import { textOption } from "../shared/option.ts";

/** Returns the report with amounts in the currency of --currency, or unchanged without it. @throws UsageError, ConfigError */
export function withCurrency(report: Report, options: CommandInput["options"]): Report {
  const [currency, file] = [textOption(options, "currency"), textOption(options, "rates")];
  if (currency === undefined) {
    if (file !== undefined) throw new UsageError("--rates needs --currency, such as --currency EUR");
    return report;
  }
  if (!/^[A-Z]{3}$/.test(currency)) {
    const suggested = /^[a-z]{3}$/i.test(currency) ? `; did you mean ${currency.toUpperCase()}?` : "";
    throw new UsageError(`--currency "${currency}" is not a code such as EUR${suggested}`);
  }
  if (!report.money) {
    const names = reports.filter(({ money }) => money).map(({ name }) => name);
    throw new UsageError(`${report.name} has no amounts in USDT, unlike ${names.join(", ")}`);
  }
  if (file === undefined) return inCurrency(report, currency, (source) => recordedRates(source, currency));
  const rates = parseEcb(contentOf(file));
  if (rates.size === 0)
    throw new ConfigError([
      `${file} has no reference rates. It must be eurofxref-hist.zip, its CSV file, or the XML of the European Central Bank.`,
    ]);
  return inCurrency(report, currency, () => ecbRates(rates, currency));
}

function contentOf(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConfigError([`${file} cannot be read (${(error as NodeJS.ErrnoException).code}). Name a file of rates.`]);
  }
}
