// `compression algo …`, `compression type …` and `compression offload` (manual 4.2), and `filter
// compression`.
import { COMPRESSION_ALGORITHMS, type CompressionSettings } from "../../model/compression.ts";
import { cursorOf, type ProxyLine } from "./reading.ts";

export function readCompression(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const what = cursor.expectOneOf("part of compression", ["algo", "type", "offload"]);
  if (what === null) return;
  line.draft.httpOnly.push({ what: `compression ${what}`, span: line.span });
  if (what === "offload") {
    readOffload(line);
    return;
  }
  const settings = line.draft.compression ?? NOTHING;
  if (cursor.isAtEnd) cursor.expect(what === "algo" ? "an algorithm" : "a type");
  if (what === "type") {
    const types = cursor.rest().map(({ text }) => text.toLowerCase());
    line.draft.compression = { ...settings, types: [...settings.types, ...types] };
    return;
  }
  const algorithms = [...settings.algorithms];
  while (!cursor.isAtEnd) {
    const algorithm = cursor.expectOneOf("algorithm", COMPRESSION_ALGORITHMS);
    if (algorithm !== null) algorithms.push(algorithm);
  }
  line.draft.compression = { ...settings, algorithms };
}

/** In `defaults` it would take effect where nobody sees it: HAProxy ignores it there. */
function readOffload({ draft, report, span }: ProxyLine): void {
  if (draft.kind === "defaults")
    report.warning(
      "wrong-section",
      span,
      "`compression offload` has no effect in a `defaults` section",
      "Write it into each frontend or backend that is to have it.",
    );
  else draft.compression = { ...(draft.compression ?? NOTHING), isOffload: true };
}

const NOTHING: CompressionSettings = { algorithms: [], types: [], isOffload: false };
