/** Decides which values the parameters of an address may have: one place for all pages and tables. */
import { type ProductType, productTypes } from "../../../core/domain.ts";
import { runFilters } from "../../../store/history.ts";
import { verdicts } from "../../data/ledger/reconciliation.ts";
import { spans } from "../../data/performance/performance.ts";
import { outcomes, periods, sortColumns } from "../../data/positions/closed.ts";
import { invalidParam } from "../../site.ts";
import { equityViews, standardSpans } from "./chart-views.ts";

/** The values that a parameter may have, or a pattern and what it stands for. */
type Rule = readonly string[] | { pattern: RegExp; expected: string };

type Rules = Readonly<Record<string, Rule>>;

const pageNumber: Rule = { pattern: /^[1-9]\d{0,5}$/, expected: "an integer from 1 to 999999" };

/** Parameters that mean the same on every page. */
const common: Rules = {
  hold_side: ["long", "short"],
  margin_mode: ["crossed", "isolated"],
  product_type: [...productTypes, "unified"] satisfies (ProductType | "unified")[],
  first_seen_at: {
    pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    expected: "a time such as 2026-11-01T12:30:00.000Z",
  },
  page: pageNumber,
  open_page: pageNumber,
  allocation: ["coin", "wallet"],
  period: Object.keys(periods),
  state: runFilters,
  verdict: verdicts,
};

const closedPositions: Rules = {
  show: Object.keys(outcomes),
  sort: Object.keys(sortColumns).flatMap((column) => [column, `-${column}`]),
};
const results: Rules = { span: Object.keys(spans), by: ["day", "month"] };
const onePosition: Rules = { show: ["changes", "all"] };
const chartSpans = standardSpans.map(([span]) => span);

/** Parameters that mean something else on each page, by its path; of a CSV that of its table. */
const byPath: Readonly<Record<string, Rules>> = {
  "/": { span: chartSpans, show: equityViews.map(({ name }) => name) },
  "/positions": closedPositions,
  "/api/episodes": closedPositions,
  "/position": onePosition,
  "/api/position": onePosition,
  "/balances": { show: ["all"], by: ["coin", "wallet"] },
  "/coin": { span: chartSpans },
  "/performance": results,
  "/api/performance": results,
};

/** Checks the parameters of an address. @throws HTTPException 400 that names the parameter, its value and the values it may have */
export function checkParams(path: string, params: Readonly<Record<string, string>>): void {
  const rules = { ...common, ...byPath[path.replace(/\.csv$/, "")] };
  for (const [name, value] of Object.entries(params)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (!rule) continue;
    if ("pattern" in rule) {
      if (!rule.pattern.test(value)) throw invalidParam(name, value, rule.expected);
    } else if (!rule.includes(value)) throw invalidParam(name, value, choiceText(rule));
  }
}

/** Returns "all", "day or month", or "one of a, b, c". */
const choiceText = (values: readonly string[]): string =>
  values.length > 2 ? `one of ${values.join(", ")}` : values.join(" or ");
