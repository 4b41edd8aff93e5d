/**
 * Checks whether the pages of a Parquet file can be decoded. hyparquet does not validate counts: a damaged one would make it fill
 * memory for minutes.
 */
import { type ColumnMetaData, type SchemaElement, snappyUncompress } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { readVarInt } from "hyparquet/src/thrift.js";

/** The maximum size of an unpacked page. Bytes. */
const maxPageBytes = 2 ** 28;

type Header = ReturnType<typeof parquetHeader>;

/** Checks a column chunk of a row group of `rows` rows. @throws Error if a count cannot be true */
export function checkPages(bytes: ArrayBuffer, column: ColumnMetaData, element: SchemaElement, rows: number): void {
  const reader = { view: new DataView(bytes), offset: 0 };
  let values = 0;
  while (reader.offset < bytes.byteLength - 1 && values < rows) {
    const header = parquetHeader(reader);
    const { compressed_page_size: size, uncompressed_page_size: unpacked } = header;
    requireWithin("the size of a page", size, bytes.byteLength - reader.offset);
    requireWithin("the unpacked size of a page", unpacked, maxPageBytes);
    const page = new Uint8Array(bytes, reader.offset, size);
    reader.offset += size;
    const count = (header.data_page_header ?? header.data_page_header_v2 ?? header.dictionary_page_header)?.num_values;
    requireWithin("the number of values", count, rows - values);
    if (header.type === "DICTIONARY_PAGE") continue;
    values += count ?? 0;
    checkRuns(page, header, column, element, count ?? 0);
  }
}

/** Checks the runs of a page: its levels (which values are null), and with a dictionary also its values. */
function checkRuns(page: Uint8Array, header: Header, { codec }: ColumnMetaData, element: SchemaElement, count: number) {
  const second = header.data_page_header_v2;
  const levels = second?.definition_levels_byte_length ?? 0;
  requireWithin("the size of the levels", levels, page.length);
  requireWithin("the levels of lists", second?.repetition_levels_byte_length ?? 0, 0);
  requireWithin("the number of nulls", second?.num_nulls ?? 0, count);
  checkRunsIn(page.subarray(0, levels), 1, count);
  const isPacked = codec !== "UNCOMPRESSED" && second?.is_compressed !== false;
  let rest = page.subarray(levels);
  if (isPacked) {
    if (codec !== "SNAPPY") throw new Error(`is compressed with ${codec}, which is not supported`);
    requireWithin("the unpacked size of a page", header.uncompressed_page_size - levels, maxPageBytes);
    const unpacked = new Uint8Array(header.uncompressed_page_size - levels);
    snappyUncompress(rest, unpacked);
    rest = unpacked;
  }
  if (!second && element.repetition_type === "OPTIONAL") {
    const length = rest.length < 4 ? -1 : new DataView(rest.buffer, rest.byteOffset, 4).getUint32(0, true);
    requireWithin("the size of the levels", length, rest.length - 4);
    checkRunsIn(rest.subarray(4, 4 + length), 1, count);
    rest = rest.subarray(4 + length);
  }
  const encoding = second?.encoding ?? header.data_page_header?.encoding;
  if (encoding?.endsWith("_DICTIONARY")) checkRunsIn(rest.subarray(1), rest[0] ?? 0, count);
}

/** Checks runs of one repeated value, or of bit-packed groups of eight values, of which the last may be padded. */
function checkRunsIn(bytes: Uint8Array, width: number, max: number): void {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  requireWithin("the width of values", width, 32);
  for (let values = 0; values < max && reader.offset < bytes.length; ) {
    const header = readVarInt(reader);
    const isPacked = (header & 1) === 1;
    const count = isPacked ? (header >>> 1) * 8 : header >>> 1;
    requireWithin("the length of a run", count, max - values + (isPacked ? 512 : 0));
    reader.offset += isPacked ? (count / 8) * width : (width + 7) >> 3;
    values += count;
  }
}

function requireWithin(what: string, value: number | undefined, max: number): void {
  if (value === undefined || !(value >= 0 && value <= max)) throw new Error(`${what} is ${value}; the limit is ${max}`);
}
