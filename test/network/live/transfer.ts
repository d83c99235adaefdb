// For tests: one long TCP transfer of random bytes, to see that it lives through a change and that every byte
// arrives. `listen PORT` gets it, `send HOST PORT STOP` sends until the file STOP is there; both say how many
// bytes it were, and their SHA-256.
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";

const CHUNK_BYTES = 16_384;
const PAUSE_MS = 5;

const [what, ...rest] = process.argv.slice(2);
const hash = createHash("sha256");
let count = 0;

function take(chunk: Buffer): Buffer {
  hash.update(chunk);
  count += chunk.length;
  return chunk;
}

function tell(): void {
  console.log(`${count} ${hash.digest("hex")}`);
}

if (what === "listen") {
  const server = createServer((socket) => {
    socket.on("data", take).on("end", () => {
      socket.end();
      server.close();
      tell();
    });
  });
  server.listen(Number(rest[0]), () => console.log("listening"));
} else {
  const [host = "", port = "", stop = ""] = rest;
  const socket = connect(Number(port), host);
  while (!existsSync(stop)) {
    if (!socket.write(take(randomBytes(CHUNK_BYTES))))
      await new Promise((resolve) => socket.once("drain", resolve));
    await pause(PAUSE_MS);
  }
  socket.end(tell);
}
