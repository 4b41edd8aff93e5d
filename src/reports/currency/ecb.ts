/**
 * Reads the reference rates of the European Central Bank from a file of theirs. They are published around 16:00 CET on every working
 * day, as units of each currency per euro; other days have no rate. USDT is taken as the US dollar, which `source` says.
 *
 * Source: https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/html/index.en.html, the files
 * https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip (CSV), eurofxref-hist.xml and eurofxref-hist-90d.xml
 */
import { strFromU8, unzipSync } from "fflate";
import { pause } from "../../core/async/cooperate.ts";
import { divide, isPlain, isPositive } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import type { Rate, RateOf } from "./rates.ts";

/** By date, `2026-10-30`, the units of each currency per euro. */
export type EcbRates = ReadonlyMap<string, ReadonlyMap<string, DecimalString>>;

/** Returns the rates in the content of a file; empty if it is no such file. */
export function parseEcb(content: Uint8Array): EcbRates {
  const isZip = content[0] === 0x50 && content[1] === 0x4b;
  const files = isZip ? Object.values(unzipSync(content)) : [content];
  const text = files.map((file) => strFromU8(file)).join("\n");
  return text.includes("<Cube") ? parseXml(text) : parseCsv(text);
}

/** Parses `Date,USD,JPY,…` and a line per day; `N/A` is no rate. */
function parseCsv(text: string): EcbRates {
  const [header = [], ...lines] = text.split(/\r?\n/).map((line) => line.split(",").map((cell) => cell.trim()));
  const rates = new Map<string, Map<string, DecimalString>>();
  if (header[0]?.replace(/^\ufeff/, "") !== "Date") return rates;
  for (const [date = "", ...cells] of lines) {
    if (!/^\d{4}-\d\d-\d\d$/.test(date)) continue;
    const day = cells.map((cell, at) => [header[at + 1] ?? "", cell] as const);
    rates.set(date, new Map(day.filter(([name, cell]) => name !== "" && isRate(cell))));
  }
  return rates;
}

function parseXml(text: string): EcbRates {
  const rates = new Map<string, Map<string, DecimalString>>();
  let day = new Map<string, DecimalString>();
  for (const [, date, currency, rate = ""] of text.matchAll(cube)) {
    if (date !== undefined) {
      day = new Map();
      rates.set(date, day);
    } else if (currency !== undefined && isRate(rate)) day.set(currency, rate);
  }
  return rates;
}

const cube = /<Cube\s+(?:time=["'](\d{4}-\d\d-\d\d)["']|currency=["']([A-Z]{3})["']\s+rate=["']([^"']+)["'])/g;

const isRate = (text: string): boolean => /^\d/.test(text) && isPlain(text) && isPositive(text);

/** Returns the rates of a currency. */
export const ecbRates = (all: EcbRates, currency: string): RateOf =>
  function* ({ name }) {
    yield pause;
    return rateOn(all.get(name), currency, name);
  };

function rateOn(day: ReadonlyMap<string, DecimalString> | undefined, currency: string, at: string): Rate | null {
  const dollars = day?.get("USD");
  const units = currency === "EUR" ? "1" : day?.get(currency);
  if (dollars === undefined || units === undefined) return null;
  const rate = divide(units, dollars);
  return rate === null ? null : { rate, source: sourceOf(currency, dollars, units), at };
}

const sourceOf = (currency: string, dollars: DecimalString, units: DecimalString): string =>
  `ECB EUR/USD ${dollars}${currency === "EUR" ? "" : `, EUR/${currency} ${units}`}, 1 USDT as 1 USD`;
