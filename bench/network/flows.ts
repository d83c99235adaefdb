// For `bench/live-network.ts`: sends the first packet of many connections, each from another port to one of
// the ports that an edge translates, and says how many microseconds of a processor each took. A packet goes
// all its way while it is sent: through the edge to the machine, in this process's time.
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import process from "node:process";
import { FIRST_PORT } from "./live-datacenter.ts";

const [address = "", ruleCount = "1"] = process.argv.slice(2);
const SOCKETS = 1000;
/** Not more than the fewest rules, so that each packet begins a connection. */
const PACKETS_EACH = 10;
const MESSAGE = Buffer.from("x");

const sockets: Socket[] = [];
for (let n = 0; n < SOCKETS; n++) {
  const socket = createSocket("udp4");
  socket.bind(0);
  await once(socket, "listening");
  sockets.push(socket);
}
const rules = Number(ruleCount);
let sent = 0;
const start = process.cpuUsage();
for (let round = 0; round < PACKETS_EACH; round++) {
  for (const [n, socket] of sockets.entries()) {
    // All over the rules, not only the first ones.
    const port = FIRST_PORT + ((n * 7919 + Math.floor((round * rules) / PACKETS_EACH)) % rules);
    socket.send(MESSAGE, port, address, (error) => {
      if (error !== null) throw error;
      sent++;
    });
  }
  while (sent < (round + 1) * SOCKETS) await new Promise((resolve) => setImmediate(resolve));
}
const { user, system } = process.cpuUsage(start);
console.log(((user + system) / (SOCKETS * PACKETS_EACH)).toFixed(2));
for (const socket of sockets) socket.close();
