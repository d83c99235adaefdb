// `cache` sections (manual 6): small responses that are kept in memory and given to whoever asks for the
// same.
import type { Span } from "../diagnostic/span.ts";

export interface CacheDefinition {
  readonly name: string;
  /** `total-max-size`. */
  readonly totalBytes: number;
  /** `max-object-size`: most bytes of headers and body. */
  readonly objectBytesMax: number;
  readonly maxAgeSeconds: number;
  readonly processesVary: boolean;
  /** How many responses to the same URI may be kept that differ by what they vary on. */
  readonly variantsMax: number;
  readonly span: Span;
}

/** `http-request cache-use` and `http-response cache-store`. */
export type CacheAction = {
  readonly kind: "cache-use" | "cache-store";
  readonly cache: string;
};
