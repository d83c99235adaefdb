// For tests of clusters: machines that say who they are, and clients that ask. `serve NAME` answers each
// connection, and each line on it, with its name. `ask ADDRESS FIRST COUNT` opens connections from that many
// ports and says `PORT NAME` of each, `-` of those that nobody answers in DEADLINE ms. `hold` does the same,
// and asks again on the connections that it has for each line of a pipe.
import { createReadStream } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";

const PORT = 80;
const [what, ...rest] = process.argv.slice(2);

function serve(name: string): void {
  createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => socket.write(`${name}\n`));
    socket.write(`${name}\n`);
  }).listen(PORT, "0.0.0.0", () => console.log("serves"));
}

/** The name that comes next on it; "-": none. */
function nextName(socket: Socket, deadlineMs: number): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve("-"), deadlineMs);
    const end = (name: string) => {
      clearTimeout(timer);
      resolve(name);
    };
    socket.once("data", (bytes) => end(bytes.toString().trim()));
    socket.once("error", () => end("-"));
    socket.once("close", () => end("-"));
  });
}

async function open(words: readonly string[]): Promise<Socket[]> {
  const [address = "", first = "", count = "", deadline = ""] = words;
  const ports = Array.from({ length: Number(count) }, (_, index) => Number(first) + index);
  const sockets = ports.map((localPort) => connect({ host: address, port: PORT, localPort }));
  for (const socket of sockets) socket.on("error", () => {});
  const names = await Promise.all(sockets.map((socket) => nextName(socket, Number(deadline))));
  for (const [index, name] of names.entries()) console.log(`${ports[index]} ${name}`);
  return sockets;
}

async function hold(words: readonly string[], pipe: string, deadlineMs: number): Promise<void> {
  const sockets = await open(words);
  console.log("held");
  for await (const word of createInterface(createReadStream(pipe))) {
    const names = sockets.map((socket) => nextName(socket, deadlineMs));
    for (const socket of sockets) socket.write("who?\n");
    console.log(`${word} ${(await Promise.all(names)).join(" ")}`);
  }
  for (const socket of sockets) socket.destroy();
}

if (what === "serve") serve(rest[0] ?? "");
else if (what === "hold") await hold(rest, rest[4] ?? "", Number(rest[3]));
else for (const socket of await open(rest)) socket.destroy();
