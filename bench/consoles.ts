// `npm run bench:consoles`: how long a key takes to come back through the console proxy, while 100 viewers
// get a screen that changes all the time: from the browser's socket over TLS to the machine's unix socket and
// back. Beside it the same over the unix sockets alone, and the proxy's CPU time.
//   npm run bench:consoles -- [--viewers N] [--seconds N] [--kib N] [--json]
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect as connectUnix, createServer, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "node:tls";
import { parseArgs } from "node:util";
import { World } from "../src/cli/program.fixture.ts";
import { makeSelfSigned } from "../src/server/certificates/self-signed.ts";
import { ConsoleClient, upgradeRequest } from "../src/server/console/console.fixture.ts";
import { issueTicket, readTicketKeys } from "../src/server/console/tickets.ts";

const { values } = parseArgs({
  options: {
    viewers: { type: "string", default: "100" },
    seconds: { type: "string", default: "10" },
    /** Of each screen's changes in a second. */
    kib: { type: "string", default: "80" },
    json: { type: "boolean", default: false },
  },
});
const VIEWERS = Number(values.viewers);
const SECONDS = Number(values.seconds);
const SCREENS_PER_SECOND = 10;
const SCREEN = Buffer.alloc(Math.round((Number(values.kib) * 1024) / SCREENS_PER_SECOND), 0x2e);
const KEY_EVERY_MS = 200;
const WARM_UP_MS = 1000;

const world = new World();
const names = Array.from({ length: VIEWERS }, (_, index) => `m${index}`);
const servers = await Promise.all(names.map(serveMachine));
const port = await freePort();
const origin = `https://127.0.0.1:${port}`;
const { certificatePem, keyPem } = makeSelfSigned(["127.0.0.1"], Date.now());
writeFileSync(world.path("console.pem"), certificatePem + keyPem);
writeFileSync(
  world.path("datacenter.yaml"),
  `datacenter: bench
networks: {org: {subnet: 10.0.0.0/16}}
machines:
${names.map((name, index) => `  ${name}: {network: org, address: 10.0.${index >> 7}.${(index & 127) + 1}}\n`).join("")}
consoles:
  proxy: {address: "127.0.0.1:${port}", certificate: console.pem}
  audit: audit.log
  backends:
${names.map((name) => `    ${name}: {serial: "unix:${world.path(name)}"}\n`).join("")}`,
);
const program = world.start(["console", "serve", world.path("datacenter.yaml")]);
while (!existsSync(world.path("consoles.sock"))) await pause(20);

const direct = await measure(names.map(openDirectly));
const before = cpuSeconds();
const through = await measure(names.map(openThrough));
const cpu = cpuSeconds() - before;
await program.signal("SIGTERM");
await world.close();
for (const server of servers) server.close();

const record = {
  viewers: VIEWERS,
  mibPerSecond: (VIEWERS * SCREEN.length * SCREENS_PER_SECOND) / 1024 / 1024,
  cpuPercent: (100 * cpu) / (SECONDS + WARM_UP_MS / 1000),
  direct: quantiles(direct),
  through: quantiles(through),
};
if (values.json) console.log(JSON.stringify(record, null, 2));
else {
  const { mibPerSecond, cpuPercent } = record;
  console.log(`${VIEWERS} viewers, ${mibPerSecond.toFixed(1)} MiB/s, ${cpuPercent.toFixed(0)} % of a core`);
  for (const [name, { p50, p99, max }] of Object.entries({ direct: record.direct, proxy: record.through }))
    console.log(`${name.padEnd(7)} a key comes back in ${ms(p50)}, 99 % in ${ms(p99)}, all in ${ms(max)}`);
}
process.exit();

interface Viewer {
  readonly socket: Socket;
  send(text: string): void;
}

/** Round trips of all keys, in milliseconds. */
async function measure(
  opening: readonly ((receive: (bytes: Buffer) => void) => Promise<Viewer>)[],
): Promise<number[]> {
  const times: number[] = [];
  const start = performance.now();
  const viewers = await Promise.all(
    opening.map(async (open) => {
      let sentAt = 0;
      const viewer = await open((bytes) => {
        if (sentAt === 0 || !bytes.includes("!")) return;
        if (performance.now() - start > WARM_UP_MS) times.push(performance.now() - sentAt);
        sentAt = 0;
      });
      // Not all at once: people type when they like.
      await pause(Math.random() * KEY_EVERY_MS);
      const timer = setInterval(() => {
        if (sentAt !== 0) return;
        sentAt = performance.now();
        viewer.send("!");
      }, KEY_EVERY_MS);
      return { viewer, timer };
    }),
  );
  await pause(SECONDS * 1000);
  for (const { viewer, timer } of viewers) {
    clearInterval(timer);
    viewer.socket.destroy();
  }
  return times;
}

/** A machine's serial line: it sends a screen ten times a second and gives every key back. */
async function serveMachine(name: string): Promise<Server> {
  const server = createServer((socket) => {
    const timer = setInterval(() => socket.write(SCREEN), 1000 / SCREENS_PER_SECOND);
    socket.on("data", (bytes) => socket.write(bytes));
    socket.on("error", () => {});
    socket.on("close", () => clearInterval(timer));
  });
  server.listen(world.path(name));
  await once(server, "listening");
  return server;
}

function openDirectly(name: string): (receive: (bytes: Buffer) => void) => Promise<Viewer> {
  return async (receive) => {
    const socket = connectUnix(world.path(name));
    await once(socket, "connect");
    socket.on("data", receive).on("error", () => {});
    return { socket, send: (text) => socket.write(text) };
  };
}

function openThrough(name: string): (receive: (bytes: Buffer) => void) => Promise<Viewer> {
  return async (receive) => {
    const claims = { user: "bench", machine: name, kind: "serial", isViewOnly: false } as const;
    const keys = readTicketKeys(world.path("consoles.key"));
    const ticket = issueTicket({ ...claims, client: "127.0.0.1", origin }, keys, Date.now());
    const socket = connect({ port, host: "127.0.0.1", ca: certificatePem });
    const client = new ConsoleClient(socket);
    await once(socket, "secureConnect");
    socket.write(upgradeRequest(origin, ticket));
    await client.head;
    client.keepsBytes = false;
    client.handleBytes = receive;
    return { socket, send: (text) => client.send(text) };
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Of the proxy: user and system time (proc(5), stat, fields 14 and 15, in hundredths). */
function cpuSeconds(): number {
  const stat = readFileSync(`/proc/${program.pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function quantiles(times: number[]): { p50: number; p99: number; max: number } {
  const sorted = times.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
