// Gathers the first bytes of a connection until they are a PROXY header or cannot become one. The format
// itself is known in src/protocol/proxy-protocol.
import type { SocketAddress } from "../base/address.ts";
import { readProxyHeader } from "../protocol/proxy-protocol/decode.ts";

export type ProxyHeaderOutcome =
  | { readonly kind: "more" }
  | { readonly kind: "bad"; readonly message: string }
  | {
      readonly kind: "header";
      /** Null when the header says nothing of another connection (LOCAL, UNKNOWN). */
      readonly proxied: { readonly source: SocketAddress; readonly destination: SocketAddress } | null;
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
        return { kind: "header", proxied: read.header.addresses, rest: this.#bytes.subarray(read.length) };
    }
  }
}
