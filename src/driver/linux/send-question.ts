// Sends the first packet of a question from a namespace, by an ordinary socket of a process in there, and
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

/** For `node -e`: protocol, address, port, source port and patience are its words. */
const SEND = `
const [protocol, host, port, localPort, patience] = process.argv.slice(1);
const end = () => process.exit();
setTimeout(end, Number(patience) * 1000);
if (protocol === "tcp") {
  const socket = require("node:net").connect({ host, port: Number(port), localPort: Number(localPort) });
  for (const event of ["connect", "error"]) socket.on(event, end);
} else {
  const socket = require("node:dgram").createSocket(host.includes(":") ? "udp6" : "udp4");
  for (const event of ["message", "error"]) socket.on(event, end);
  socket.bind(Number(localPort), () => socket.send("?", Number(port), host));
}
`;

/** Null when it was sent; else why it was not. Whether it was answered the captures tell. */
export async function sendQuestion(namespace: string, question: LiveQuestion): Promise<string | null> {
  const { protocol, to, port, key } = question;
  const words =
    protocol === "icmp"
      ? ["ping", "-n", "-c", "1", "-W", `${PATIENCE_S}`, "-e", `${key}`, to]
      : [process.execPath, "-e", SEND, protocol, to, `${port}`, `${key}`, `${PATIENCE_S}`];
  const { status, errors } = await runCommand(["nsenter", `--net=/run/netns/${namespace}`, ...words]);
  // ping ends with 1 when nobody answers.
  return status === 0 || (protocol === "icmp" && status === 1) ? null : errors.trim() || "it was not sent";
}
