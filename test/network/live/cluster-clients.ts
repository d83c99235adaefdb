// For tests of clusters: machines that say who they are, and clients that ask. `serve NAME ADDRESS PORTS…`
// answers each connection, each line on it, and each datagram with its name. `ask ADDRESS PORT FIRST COUNT
// DEADLINE` opens connections from that many ports and says `PORT NAME` of each, `-` of those that nobody
// answers in that many milliseconds; `ask-udp` asks by datagrams. `hold … PIPE` opens connections too, and
// asks again on them for each line of a pipe.
import { createSocket } from "node:dgram";
import { createReadStream } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";

const [what, ...rest] = process.argv.slice(2);

function serve([name = "", address = "", ...ports]: readonly string[]): void {
  for (const port of ports) {
    createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => socket.write(`${name}\n`));
      socket.write(`${name}\n`);
    }).listen(Number(port), "::", () => console.log(`serves ${port}`));
    // An answer comes from where the question went.
    const datagrams = socketFor(address).bind(Number(port), address);
    datagrams.on("message", (_, from) => datagrams.send(name, from.port, from.address));
  }
}

function socketFor(address: string): ReturnType<typeof createSocket> {
  return createSocket(address.includes(":") ? "udp6" : "udp4");
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

interface Questions {
  readonly host: string;
  readonly port: number;
  readonly localPorts: readonly number[];
  readonly deadlineMs: number;
}

function questionsOf([
  host = "",
  port = "",
  first = "",
  count = "",
  deadline = "",
]: readonly string[]): Questions {
  const localPorts = Array.from({ length: Number(count) }, (_, index) => Number(first) + index);
  return { host, port: Number(port), localPorts, deadlineMs: Number(deadline) };
}

async function open({ host, port, localPorts, deadlineMs }: Questions): Promise<Socket[]> {
  const sockets = localPorts.map((localPort) => connect({ host, port, localPort }));
  for (const socket of sockets) socket.on("error", () => {});
  const names = await Promise.all(sockets.map((socket) => nextName(socket, deadlineMs)));
  for (const [index, name] of names.entries()) console.log(`${localPorts[index]} ${name}`);
  return sockets;
}

async function askByDatagrams({ host, port, localPorts, deadlineMs }: Questions): Promise<void> {
  const ask = (localPort: number) =>
    new Promise<string>((resolve) => {
      const socket = socketFor(host);
      const timer = setTimeout(() => end("-"), deadlineMs);
      const end = (name: string) => {
        clearTimeout(timer);
        socket.close();
        resolve(name);
      };
      socket.on("message", (bytes) => end(bytes.toString()));
      socket.bind(localPort, () => socket.send("who?", port, host));
    });
  for (const localPort of localPorts) console.log(`${localPort} ${await ask(localPort)}`);
}

async function hold(questions: Questions, pipe: string): Promise<void> {
  const sockets = await open(questions);
  console.log("held");
  for await (const word of createInterface(createReadStream(pipe))) {
    const names = sockets.map((socket) => nextName(socket, questions.deadlineMs));
    for (const socket of sockets) socket.write("who?\n");
    console.log(`${word} ${(await Promise.all(names)).join(" ")}`);
  }
  for (const socket of sockets) socket.destroy();
}

if (what === "serve") serve(rest);
else if (what === "ask-udp") await askByDatagrams(questionsOf(rest));
else if (what === "hold") await hold(questionsOf(rest), rest[5] ?? "");
else for (const socket of await open(questionsOf(rest))) socket.destroy();
