// Gathers the first bytes of a connection until they are a PROXY header or cannot become one. The format
// itself is known in src/protocol/proxy-protocol.
import { readProxyHeader } from "../protocol/proxy-protocol/decode.ts";
import type { ProxyHeader } from "../protocol/proxy-protocol/proxy-header.ts";
import type { ProxiedConnection } from "../transport/contract.ts";

export type ProxyHeaderOutcome =
  | { readonly kind: "more" }
  | { readonly kind: "bad"; readonly message: string }
  | {
      readonly kind: "header";
      /** Null when the header says nothing of another connection (LOCAL, UNKNOWN). */
      readonly proxied: ProxiedConnection | null;
      /** What came behind the header. */
      readonly rest: Uint8Array;
    };

export class ProxyHeaderReader {
  #bytes: Uint8Array = new Uint8Array(0);

  /** Takes the next bytes; keeps no reference to them. Not to be called again after "bad" or "header". */
  receive(bytes: Uint8Array): ProxyHeaderOutcome {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const read = readProxyHeader(this.#bytes, 0, this.#bytes.length);
    switch (read.kind) {
      case "incomplete":
        return { kind: "more" };
      case "malformed":
        return { kind: "bad", message: read.message };
      case "header":
        return { kind: "header", proxied: proxiedBy(read.header), rest: this.#bytes.subarray(read.length) };
    }
  }
}

function proxiedBy({ addresses, facts }: ProxyHeader): ProxiedConnection | null {
  if (addresses === null) return null;
  const { authority, uniqueId } = facts;
  return {
    ...addresses,
    ...(authority === null ? {} : { authority }),
    ...(uniqueId === null ? {} : { uniqueId: Buffer.from(uniqueId).toString("latin1") }),
  };
}
