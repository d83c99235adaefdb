// What `compression …` lines say of a proxy's responses (manual 4.2).

/** In HAProxy's words; `deflate` has the zlib wrapper that the standard asks for, `raw-deflate` has none. */
export const COMPRESSION_ALGORITHMS = ["identity", "gzip", "deflate", "raw-deflate"] as const;
export type CompressionAlgorithm = (typeof COMPRESSION_ALGORITHMS)[number];

export interface CompressionSettings {
  /** In the order of the file. None: that of the other side of the proxy counts. */
  readonly algorithms: readonly CompressionAlgorithm[];
  /** What a Content-Type may begin with, in lower case. None: all types. */
  readonly types: readonly string[];
  /** Servers are not told that the client takes compressed responses. */
  readonly isOffload: boolean;
}

/** Of the global section. */
export interface CompressionLimits {
  /** `tune.comp.maxlevel`, 1 to 9. */
  readonly levelMax: number;
  /** `maxcomprate`: what all workers may compress in a second; 0: no limit. */
  readonly bytesPerSecondMax: number;
}
