/**
 * Reads one scope of an incremental dataset: window by window, page by page. Records read before a failure are returned with the
 * position at which the next run continues.
 */
import type { ApiResponse, Item, Params, ReadProgress, RecordBatch, Scope, Window } from "../../core/domain.ts";
import { ShapeError } from "../../core/errors.ts";
import type { AnyListSource, Page } from "../../datasets/incremental.ts";
import { planWindows, type RunTime, requestedBounds } from "./windows.ts";

export interface RecordSource {
  endpoint: AnyListSource;
  scope: Scope;
  /** Requests one page. @throws CollectorError if there is no response, or the run's deadline has passed */
  get(params: Params): Promise<ApiResponse>;
  /** Called with each documented field that a record lacks. */
  onMissing(field: string): void;
  /** Called after each window with the number of those read so far, and of all that are due. */
  onWindow?(done: number, total: number): void;
}

/** The records read (null: none), and the error that ended the reading early (null: it is complete). */
export interface ReadResult {
  batch: RecordBatch | null;
  error: unknown;
}

/** Reads the windows that are due. `last`: where the previous run ended; null for the first run. Never rejects. */
export async function readRecords(source: RecordSource, last: ReadProgress | null, time: RunTime): Promise<ReadResult> {
  const { hole, windows } = planWindows(last, time, source.endpoint);
  const records: Item[] = [];
  let reading: ReadProgress = { through: hole?.to ?? last?.through ?? 0, window: null, hole };
  let takenAt: number | null = null;
  const batch = (): RecordBatch | null =>
    takenAt === null ? null : { scope: source.scope, takenAt, items: records, reading };
  try {
    for (const [at, window] of windows.entries()) {
      let firstAt = Number.POSITIVE_INFINITY;
      for await (const { items, respondedAt, next } of pagesOf(source, window)) {
        records.push(...items);
        firstAt = Math.min(firstAt, respondedAt);
        takenAt = respondedAt;
        reading = { ...reading, window: { ...window, cursor: next } };
      }
      // A response proves nothing about the time after it.
      reading = { ...reading, through: Math.max(reading.through, Math.min(window.to, firstAt)), window: null };
      source.onWindow?.(at + 1, windows.length);
    }
    return { batch: batch(), error: null };
  } catch (error) {
    return { batch: batch(), error };
  }
}

interface ReceivedPage extends Page {
  /** The exchange's time. Epoch ms. */
  respondedAt: number;
}

/** Yields the pages of a window. @throws ShapeError if a page repeats, or is full and has no cursor */
async function* pagesOf(source: RecordSource, window: Window): AsyncGenerator<ReceivedPage> {
  const { endpoint } = source;
  const seen = new Set<string>();
  for (let cursor = window.cursor; ; ) {
    const page = await readGoodPage(source, window, cursor);
    yield page;
    if (page.items.length < endpoint.pageSize) return;
    if (page.next === null) throw stuck(endpoint, "is a full page without the cursor of the next one");
    const size = seen.size;
    for (const { row } of page.items) seen.add(JSON.stringify(row));
    if (page.next === cursor || seen.size === size) throw stuck(endpoint, "is the previous page again");
    cursor = page.next;
  }
}

/** Requests a page; once more if it is empty, or full and without a cursor, because the exchange sometimes sends such pages wrongly. */
async function readGoodPage(source: RecordSource, window: Window, cursor: string | null): Promise<ReceivedPage> {
  const first = await readPage(source, window, cursor);
  const isSound = first.items.length > 0 && (first.items.length < source.endpoint.pageSize || first.next !== null);
  if (isSound) return first;
  const second = await readPage(source, window, cursor);
  return second.items.length >= first.items.length ? second : first;
}

async function readPage(source: RecordSource, window: Window, cursor: string | null): Promise<ReceivedPage> {
  const { endpoint, scope, get, onMissing } = source;
  const response = await get(endpoint.params(scope, { ...requestedBounds(window), cursor }));
  return { ...endpoint.read(response.data, scope, onMissing), respondedAt: response.takenAt };
}

const stuck = ({ endpoint }: AnyListSource, problem: string): ShapeError =>
  new ShapeError(endpoint.path, "data", problem);
