// Runs in one network namespace: listens as its machine does, and sends the questions that it is given, all
// at once. Words: a file of JSON. Prints "ready", asks for each line that it reads, and prints how each
// question ended for who asked: `{"key": 41000, "outcome": "connected"}`.
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { DNS_QUESTION } from "../../../src/driver/linux/send-question.ts";
import type { IpProtocol } from "../../../src/model/datacenter.ts";

export interface AgentJob {
  /** Who answers requests. */
  readonly name: string;
  readonly tcpPorts: readonly number[];
  /** Each address by itself, so that the answer comes from the one that was asked. */
  readonly udpPlaces: readonly { readonly address: string; readonly port: number }[];
}

export interface AgentQuestion {
  /** Source port, or identifier of the echo. No two questions have the same. */
  readonly key: number;
  readonly to: string;
  readonly protocol: IpProtocol;
  readonly port: number;
  /** Of HTTP, which is asked over the connection; null: of a connection only the beginning is looked at. */
  readonly request: { readonly path: string; readonly user: string } | null;
}

export interface AgentOutcome {
  readonly key: number;
  /** "connected", "refused", "answered"; of a request the answer's first word or who served what. */
  readonly outcome: string;
}

const ECHO_PATIENCE_S = 5;
const DNS_PORT = 53;

function tell(outcome: AgentOutcome): void {
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}

async function listen({ name, tcpPorts, udpPlaces }: AgentJob): Promise<void> {
  for (const port of tcpPorts) {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.setEncoding("latin1").on("data", (text: string) => {
        if (!text.startsWith("GET ")) return;
        const served = `Served: ${name} ${text.split(" ")[1]}`;
        socket.end(`HTTP/1.1 200 OK\r\n${served}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      });
    });
    server.listen({ port, host: "::" });
    await once(server, "listening");
  }
  for (const { address, port } of udpPlaces) {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    socket.on("error", () => undefined);
    socket.on("message", (data, from) => socket.send(data, from.port, from.address));
    socket.bind({ port, address });
    await once(socket, "listening");
  }
}

function ask({ key, to, protocol, port, request }: AgentQuestion): void {
  switch (protocol) {
    case "tcp": {
      // It stays open until this process ends.
      const socket = connect({ host: to, port, localPort: key });
      if (request === null) socket.on("connect", () => tell({ key, outcome: "connected" }));
      else askForPage(socket, key, port, request);
      socket.on("error", ({ message }) => {
        if (message.includes("ECONNREFUSED")) tell({ key, outcome: "refused" });
      });
      return;
    }
    case "udp": {
      const socket = createSocket(to.includes(":") ? "udp6" : "udp4");
      socket.on("error", () => undefined);
      socket.on("message", (_, { address }) => {
        if (address === to) tell({ key, outcome: "answered" });
      });
      socket.bind(key, () => socket.send(port === DNS_PORT ? DNS_QUESTION : "?", port, to, () => undefined));
      return;
    }
    case "icmp": {
      const words = ["-n", "-c", "1", "-W", `${ECHO_PATIENCE_S}`, "-e", `${key}`, to];
      const ping = spawn("ping", words, { stdio: ["ignore", "pipe", "ignore"] });
      // It takes an answer from whomever, and says so.
      ping.stdout.setEncoding("utf8").on("data", (text: string) => {
        if (text.includes(`bytes from ${to}: `) && !text.includes("DIFFERENT ADDRESS"))
          tell({ key, outcome: "answered" });
      });
    }
  }
}

function askForPage(
  socket: Socket,
  key: number,
  port: number,
  { path, user }: NonNullable<AgentQuestion["request"]>,
): void {
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: company.com:${port}\r\nX-User: ${user}\r\nConnection: close\r\n\r\n`,
  );
  let answer = "";
  socket.setEncoding("latin1").on("data", (text: string) => {
    answer += text;
  });
  socket.on("end", () => {
    const [, served] = /^served: (.*?)\r$/im.exec(answer) ?? [];
    tell({ key, outcome: served ?? answer.split(" ")[1] ?? "nothing" });
  });
}

await listen(JSON.parse(readFileSync(process.argv[2]!, "utf8")) as AgentJob);
process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  for (const question of JSON.parse(line) as AgentQuestion[]) ask(question);
}
process.exit();
