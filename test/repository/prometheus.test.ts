/** Compares the alert rules and the Grafana dashboard with the metrics that a daemon exports. */
import { readFileSync } from "node:fs";
import { beforeEach, expect, it } from "vitest";
import { parse } from "yaml";
import { createMetrics, describeMetrics } from "../../src/monitoring/metrics.ts";
import { parseExposition } from "../support/exposition.ts";
import { everyDataset } from "../support/settings.ts";
import { createWorld } from "../support/world.ts";

const rules: unknown = parse(readFileSync("deploy/prometheus/alerts.yml", "utf8"));
const dashboard: unknown = JSON.parse(readFileSync("deploy/grafana/bitget-collector.json", "utf8"));

let exported: ReturnType<typeof parseExposition>;

beforeEach(async () => {
  const world = await createWorld("2026-03-01T12:00:30Z", everyDataset("* * * * *"));
  await world.at("2026-03-01T12:01:00Z");
  // A history in a file has no workers.
  const worker = { name: "desk-1", state: "live", seenAt: 0, ageMs: 0, version: "1", accounts: 1, running: 0 } as const;
  const workers = async () => [{ ...worker, pausedUntil: 1 }];
  const { path, isFile } = world.app.store;
  const store = { path, isFile, freshness: async () => [], workers };
  const several = createMetrics({ ...world.app, clock: world.clock, store });
  exported = [await world.metrics.text(), await several.text()].flatMap(parseExposition);
});

/** Yields the string values of a key at any depth. */
function* textsOf(value: unknown, key: string): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, inside] of Object.entries(value)) {
    if (name === key && typeof inside === "string") yield inside;
    yield* textsOf(inside, key);
  }
}

const ruleExpressions = [...textsOf(rules, "expr")];
const panelExpressions = [...textsOf(dashboard, "expr"), ...textsOf(dashboard, "definition")];

const metricsIn = (texts: readonly string[]): string[] => [
  ...new Set(texts.flatMap((text) => text.match(/\b(?:bitget_collector|nodejs|process)_\w+/g) ?? [])),
];

it("the alert rules use only exported metrics", () => {
  expect(ruleExpressions.length).toBe([...textsOf(rules, "summary")].length);
  expect(metricsIn(ruleExpressions).length).toBeGreaterThan(8);
  expect(exported.map(({ name }) => name)).toEqual(expect.arrayContaining(metricsIn(ruleExpressions)));
});

it("the dashboard uses only exported metrics", () => {
  expect(metricsIn(panelExpressions).length).toBeGreaterThan(12);
  expect(exported.map(({ name }) => name)).toEqual(expect.arrayContaining(metricsIn(panelExpressions)));
});

it("rules and dashboard select only by exported labels", () => {
  const known = new Set([...exported.flatMap(({ labels }) => Object.keys(labels)), "job"]);
  const used = [...ruleExpressions, ...panelExpressions].flatMap((text) => [
    ...[...text.matchAll(/(\w+)=~?"/g)].map((match) => match[1] ?? ""),
    ...[...text.matchAll(/by \(([^)]+)\)/g)].flatMap((match) => (match[1] ?? "").split(", ")),
  ]);
  expect(used.length).toBeGreaterThan(20);
  expect([...new Set(used)].filter((label) => !known.has(label))).toEqual([]);
});

it("every exported metric is described with its labels", () => {
  const described = new Map(describeMetrics().map(({ name, labelNames }) => [name, labelNames]));
  const ours = exported
    .map(({ name, labels }) => [name.replace(/_(bucket|sum|count)$/, ""), Object.keys(labels)] as const)
    .filter(([name]) => name.startsWith("bitget_collector_"));
  expect(ours.length).toBeGreaterThan(20);
  for (const [name, labels] of ours)
    expect([...(described.get(name) ?? []), "le"], name).toEqual(expect.arrayContaining(labels));
});
