// Sends the first packet of a question from a namespace, by an ordinary socket of a process in there, which
// waits a little for its answer: the kernel shall do what it does for every program.
import type { IpProtocol } from "../../model/datacenter.ts";
import { runCommand } from "./command.ts";

export interface LiveQuestion {
  readonly protocol: IpProtocol;
  readonly to: string;
  /** Of no meaning for icmp. */
  readonly port: number;
  /** Source port, or identifier of the echo. */
  readonly key: number;
}

const PATIENCE_S = 2;
const DNS_PORT = 53;
/** For the address of "a" (RFC 1035, 4.1): a server of names answers nothing else. */
export const DNS_QUESTION: Uint8Array = Uint8Array.from([
  ...[0x53, 0x41, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0],
  ...[1, 0x61, 0, 0, 1, 0, 1],
]);

/** For `node -e`: protocol, address, port, source port, patience and data of a datagram are its words. */
const SEND = `
const [protocol, host, port, localPort, patience, data] = process.argv.slice(1);
const end = () => process.exit();
const say = () => console.log("sent");
setTimeout(end, Number(patience) * 1000);
if (protocol === "tcp") {
  const socket = require("node:net").connect({ host, port: Number(port), localPort: Number(localPort) });
  for (const event of ["connect", "error"]) socket.on(event, end);
  setImmediate(say);
} else {
  const socket = require("node:dgram").createSocket(host.includes(":") ? "udp6" : "udp4");
  for (const event of ["message", "error"]) socket.on(event, end);
  socket.bind(Number(localPort), () => socket.send(Buffer.from(data, "hex"), Number(port), host, say));
}
`;

export interface Sending {
  /** Null as soon as it was sent; else why it was not. Whether it was answered the captures tell. */
  readonly sent: Promise<string | null>;
  /** Nobody waits for the answer any more. */
  stop(): void;
}

export function sendQuestion(namespace: string, question: LiveQuestion): Sending {
  const { protocol, to, port, key } = question;
  const data = Buffer.from(port === DNS_PORT ? DNS_QUESTION : "?").toString("hex");
  const words =
    protocol === "icmp"
      ? ["ping", "-n", "-c", "1", "-W", `${PATIENCE_S}`, "-e", `${key}`, to]
      : [process.execPath, "-e", SEND, protocol, to, `${port}`, `${key}`, `${PATIENCE_S}`, data];
  const { promise: sent, resolve } = Promise.withResolvers<string | null>();
  const ending = new AbortController();
  const { signal } = ending;
  // Each of the two says something when it has sent.
  const onOutput = () => resolve(null);
  const run = runCommand(["nsenter", `--net=/run/netns/${namespace}`, ...words], { onOutput, signal });
  run.then(({ status, errors }) => {
    // ping ends with 1 when nobody answers.
    const wasSent = status === 0 || (protocol === "icmp" && status === 1);
    resolve(wasSent ? null : errors.trim() || "it was not sent");
  });
  return { sent, stop: () => ending.abort() };
}
