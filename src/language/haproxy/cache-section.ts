// `cache NAME` sections (manual 6.2.1).
import type { Span } from "../../diagnostic/span.ts";
import type { CacheDefinition } from "../../model/cache.ts";
import { Cursor } from "./cursor.ts";
import type { Mutable } from "./draft.ts";
import type { Line } from "./lines.ts";
import type { Reading } from "./reading.ts";
import { expectInteger } from "./values.ts";
import type { Word } from "./word.ts";

const MEGABYTE = 1024 * 1024;
const WORDS = [
  "total-max-size",
  "max-age",
  "max-object-size",
  "process-vary",
  "max-secondary-entries",
] as const;

interface CacheDraft extends Mutable<Omit<CacheDefinition, "objectBytesMax">> {
  objectBytesMax: number | null;
  objectSpan: Span | null;
}

export function readCache(reading: Reading, name: Word, span: Span, lines: readonly Line[]): void {
  const { report, caches } = reading;
  const draft: CacheDraft = {
    name: name.text,
    totalBytes: 0,
    objectBytesMax: null,
    maxAgeSeconds: 60,
    processesVary: false,
    variantsMax: 10,
    span,
    objectSpan: null,
  };
  const first = caches.find((cache) => cache.name === name.text);
  if (first !== undefined)
    report.error(
      "duplicate-name",
      name.span,
      `there is already a cache \`${name.text}\``,
      "Give it another name.",
      [{ span: first.span, message: "the first is here" }],
    );
  for (const line of lines) readLine(reading, draft, line);
  const { objectSpan, ...settings } = draft;
  const objectBytesMax = draft.objectBytesMax ?? Math.floor(draft.totalBytes / 256);
  if (draft.totalBytes === 0) {
    report.error("missing-argument", span, "the cache has no size", "Add `total-max-size 4`, in megabytes.");
  } else if (objectBytesMax > draft.totalBytes / 2) {
    report.error(
      "bad-number",
      objectSpan ?? span,
      "an object may take half of the cache at most",
      `The most is \`max-object-size ${draft.totalBytes / 2}\`.`,
    );
  }
  caches.push({ ...settings, objectBytesMax });
}

function readLine({ report }: Reading, draft: CacheDraft, line: Line): void {
  const cursor = new Cursor(line.words, 0, report);
  const word = cursor.expectOneOf("setting of a cache", WORDS);
  switch (word) {
    case null:
      return;
    case "total-max-size":
      draft.totalBytes = (expectInteger(cursor, "a number of megabytes", 1, 4095) ?? 1) * MEGABYTE;
      break;
    case "max-age":
      draft.maxAgeSeconds = expectInteger(cursor, "a number of seconds") ?? 60;
      break;
    case "max-object-size":
      draft.objectBytesMax = expectInteger(cursor, "a number of bytes", 1);
      draft.objectSpan = line.span;
      break;
    case "process-vary":
      draft.processesVary = readSwitch(cursor);
      break;
    case "max-secondary-entries":
      draft.variantsMax = readVariantsMax(cursor);
      break;
  }
  cursor.expectEnd();
}

/** HAProxy says so and goes on with what there was. */
function readSwitch(cursor: Cursor): boolean {
  const word = cursor.expect("`on` or `off`");
  if (word !== null && word.text !== "on" && word.text !== "off")
    cursor.report.warning(
      "unknown-word",
      word.span,
      "`process-vary` is either `on` or `off`",
      "It stays off.",
    );
  return word?.text === "on";
}

function readVariantsMax(cursor: Cursor): number {
  const word = cursor.expect("a number of entries");
  const value = Number(word?.text);
  if (word === null || (/^\d+$/.test(word.text) && value > 0)) return word === null ? 10 : value;
  cursor.report.warning(
    "bad-number",
    word.span,
    "at least one entry can be kept for each URI",
    "It stays 10.",
  );
  return 10;
}
