// Runs in one network namespace: listens as its machine does, and sends the questions that it is given, all
// at once. Words: a file of JSON. Prints "ready", asks for each line that it reads, and prints how each
// question ended for who asked: `{"key": 41000, "outcome": "connected"}`.
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import type { IpProtocol } from "../../../src/model/datacenter.ts";

export interface AgentJob {
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
}

export interface AgentOutcome {
  readonly key: number;
  readonly outcome: "connected" | "refused" | "answered";
}

const ECHO_PATIENCE_S = 5;

function tell(outcome: AgentOutcome): void {
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}

async function listen({ tcpPorts, udpPlaces }: AgentJob): Promise<void> {
  for (const port of tcpPorts) {
    const server = createServer((socket) => socket.on("error", () => socket.destroy()));
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

function ask({ key, to, protocol, port }: AgentQuestion): void {
  switch (protocol) {
    case "tcp": {
      // It stays open until this process ends: of a connection only the beginning is looked at.
      const socket = connect({ host: to, port, localPort: key });
      socket.on("connect", () => tell({ key, outcome: "connected" }));
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
      socket.bind(key, () => socket.send("?", port, to, () => undefined));
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

await listen(JSON.parse(readFileSync(process.argv[2]!, "utf8")) as AgentJob);
process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  for (const question of JSON.parse(line) as AgentQuestion[]) ask(question);
}
process.exit();
