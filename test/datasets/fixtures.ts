/** Reads `test/fixtures/bitget/<version>/<dataset>[.<case>].json`: one request, its answer, the rows it becomes. */
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "lossless-json";
import type { ApiVersion, DatasetName, Extra, Item, KnownRows, Params, Row, Scope } from "../../src/core/domain.ts";
import type { AnyDatasetSource, MapperInput } from "../../src/datasets/dataset.ts";
import type { AnyDataset, IncrementalDataset } from "../../src/datasets/incremental.ts";
import { datasetNamed, snapshotDatasetNamed } from "../../src/datasets/index.ts";
import { rowOf } from "../support/rows.ts";

const root = new URL("../fixtures/bitget/", import.meta.url);

export interface Fixture {
  title: string;
  version: ApiVersion;
  dataset: AnyDataset;
  endpoint: AnyDatasetSource;
  /** Null where nothing is asked. */
  request: { path: string; params: Params } | null;
  scope: Scope;
  /** `data` of the answer, its numbers still digits, as the client hands it on. */
  data: unknown;
  context: MapperInput;
  items: Item[];
}

type KnownByDataset = Partial<Record<DatasetName, { scope: Scope; rows: Row[] }[]>>;

interface Content {
  request: { path: string; params: Params } | null;
  scope: Scope;
  answer: { data: unknown };
  known?: KnownByDataset;
  rows: { row: Row; extra?: Extra }[];
}

/** What a mapper may know: a dataset that is named here is complete unless it is named in `incomplete`. */
export function contextOf(scope: Scope, known: KnownByDataset = {}, incomplete: DatasetName[] = []): MapperInput {
  const knownRows = (name: DatasetName): KnownRows[] =>
    (known[name] ?? []).map((each) => ({
      account: "main",
      slot: 1_790_000_000_000,
      takenAt: 1_790_000_000_000,
      ...each,
    }));
  return {
    scope,
    known: knownRows,
    lastKnown: knownRows,
    complete: (name) => known[name] !== undefined && !incomplete.includes(name),
  };
}

export function endpointOf(name: DatasetName, version: ApiVersion): AnyDatasetSource {
  const endpoint = snapshotDatasetNamed(name).sources[version];
  if (!endpoint) throw new Error(`${name} has no ${version}`);
  return endpoint;
}

/** What the collector does with `data` of an answer. */
export const itemsOf = (endpoint: AnyDatasetSource, data: unknown, context: MapperInput): Item[] =>
  endpoint.items(data, context);

/** The window that the fixtures of lists request. */
export const window = { from: 1_782_224_000_000, to: 1_790_000_000_000, cursor: null };

/** Presents one list of records, in that window, like an endpoint of snapshots. */
function listAt(dataset: IncrementalDataset, version: ApiVersion, path: string | undefined): AnyDatasetSource {
  const list = dataset.sources[version]?.find(({ endpoint }) => endpoint.path === path);
  if (!list) throw new Error(`${dataset.name} has no ${path} in ${version}`);
  return {
    endpoint: list.endpoint,
    scopes: list.scopes,
    params: (scope) => list.params(scope, window),
    needs: [],
    items: (data, { scope }, onMissing) => list.read(data, scope, onMissing).items,
    subAccounts: undefined,
  };
}

export function readFixture(version: ApiVersion, file: string): Fixture {
  const text = readFileSync(new URL(`${version}/${file}`, root), "utf8");
  const content = JSON.parse(text) as Content;
  const lossless = parse(text) as unknown as Content;
  const dataset = datasetNamed(file.split(".")[0] as DatasetName);
  return {
    title: `${version}/${file}`,
    version,
    dataset,
    endpoint:
      dataset.mode === "snapshot" ? endpointOf(dataset.name, version) : listAt(dataset, version, content.request?.path),
    request: content.request,
    scope: content.scope,
    data: lossless.answer.data,
    context: contextOf(content.scope, content.known),
    items: content.rows.map(({ row }, index) => ({
      row: rowOf(dataset, row),
      extra: lossless.rows[index]?.extra ?? null,
    })),
  };
}

export const fixtures: Fixture[] = (["v1", "v2", "v3"] as const).flatMap((version) =>
  readdirSync(new URL(`${version}/`, root)).map((file) => readFixture(version, file)),
);
