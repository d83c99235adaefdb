// Sends bytes over a connection as the contract wants it: in a chunk, with a reference given back.
import type { Connection, Engine } from "../src/transport/contract.ts";

const CHUNK_BYTES_MAX = 1024 * 1024;

export function sendText(engine: Engine, connection: Connection, content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? Buffer.from(content, "latin1") : content;
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES_MAX) {
    const part = bytes.subarray(start, start + CHUNK_BYTES_MAX);
    const chunk = engine.allocate(part.length);
    chunk.bytes.set(part);
    connection.send(chunk, 0, part.length);
    chunk.release();
  }
}
