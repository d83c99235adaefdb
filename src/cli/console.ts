// `sallyport console`: serves the consoles of a datacentre file, makes tickets for them, and keeps their
// users, keys and viewers.
import { isIP } from "node:net";
import { userInfo } from "node:os";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import type { ConsoleConfiguration } from "../server/console/configuration.ts";
import { askControlSocket } from "../server/console/control-socket.ts";
import { consoleUrl } from "../server/console/portal.ts";
import { clientAddress, issueTicket, readTicketKeys, rotateTicketKeys } from "../server/console/tickets.ts";
import { originOf } from "../server/console/tls-server.ts";
import { removeUser, setPassword, userNameFault } from "../server/console/users.ts";
import { type CommandLine, complainOfUsage, readCommandLine } from "./command-line.ts";
import { loadConsoles, reloadConsoles, serveConsoles } from "./console-serve.ts";
import { askNewPassword } from "./new-password.ts";
import { colour, columns, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport console serve FILE
       sallyport console open FILE MACHINE [options]
       sallyport console list FILE
       sallyport console kick FILE WHO
       sallyport console reload FILE
       sallyport console user FILE NAME [--remove]
       sallyport console rotate FILE

serve carries the consoles that FILE names under \`consoles\` to browsers, in the foreground. open prints the address of a
machine's console with a ticket in it: good once, within 60 seconds, from one address. list shows who looks at what, kick
ends that: WHO is a user, a machine or the first word of a line of list. reload has the process that serves read FILE, its
certificates and rights again, as SIGHUP does; who looks goes on, and a file with errors changes nothing. user asks for a
password and writes it, hashed, into the file of users. rotate makes a new key for tickets; those of the last one are good
until they expire.

Options:
  --serial          the serial line; without it the screen, if the machine has one
  --view-only       keyboard, mouse and clipboard do nothing
  --client ADDRESS  the address of the browser; needed unless the proxy is on loopback
  --user NAME       who it is for, in the audit log; the name of your account without it
  --remove          take the user away
  --json            the answer of list as data
  -h, --help        show this

Examples:
  sallyport console serve datacenter.yaml
  sallyport console open datacenter.yaml web-001 --client 198.51.100.7
  sallyport console kick datacenter.yaml web-001
  sallyport console reload datacenter.yaml

Exit codes: 0 done, 1 not, with the reason.
`;

const WORDS = ["serve", "open", "list", "kick", "reload", "user", "rotate"] as const;
type Word = (typeof WORDS)[number];

interface Call {
  readonly file: string;
  readonly name: string | undefined;
  readonly line: CommandLine;
  readonly configuration: ConsoleConfiguration;
  readonly terminal: Terminal;
}

export async function consoleCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, [
    { name: "serial", takesValue: false },
    { name: "view-only", takesValue: false },
    { name: "client", takesValue: true },
    { name: "user", takesValue: true },
    { name: "remove", takesValue: false },
    { name: "json", takesValue: false },
  ]);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  const complain = (message: string, help: string | null = null): 1 =>
    complainOfUsage(terminal, "console", message, help);
  if (reading.kind === "wrong") return complain(reading.message, reading.help);
  const { line } = reading;
  const [what, file, name, ...more] = line.words;
  if (what === undefined) return complain("console serve, open, list, kick, reload, user or rotate?");
  const word = WORDS.find((one) => one === what);
  if (word === undefined) return complain(`there is no console ${what}`, suggestWord(what, WORDS));
  if (file === undefined) return complain("which file?");
  const takesName = word === "open" || word === "kick" || word === "user";
  if (takesName && name === undefined)
    return complain({ open: "which machine?", kick: "who?", user: "which user?" }[word]);
  const extra = takesName ? more[0] : name;
  if (extra !== undefined) return complain(`what is ${extra}?`);
  try {
    // Only the process that serves has to be able to read the certificates.
    if (word === "reload") return await reloadConsoles(file, terminal);
    const configuration = loadConsoles(file, terminal);
    if (configuration === null) return 1;
    return await ACTIONS[word]({ file, name, line, configuration, terminal });
  } catch (error) {
    return fail(terminal, (error as Error).message);
  }
}

const ACTIONS: Readonly<Record<Exclude<Word, "reload">, (call: Call) => Promise<number>>> = {
  serve: ({ file, configuration, terminal }) => serveConsoles(file, configuration, terminal),
  open,
  list,
  kick,
  user,
  rotate: async ({ configuration, terminal }) => {
    rotateTicketKeys(configuration.keyFile);
    terminal.write(`a new key signs tickets: ${configuration.keyFile}\n`);
    return 0;
  },
};

async function open({ name = "", line, configuration, terminal }: Call): Promise<number> {
  const { machines, proxy, keyFile } = configuration;
  const consoles = machines.get(name);
  if (consoles === undefined)
    return fail(
      terminal,
      `the file names no console of ${name}`,
      suggestWord(name, [...machines.keys()]) ?? `Machines with consoles: ${[...machines.keys()].join(", ")}`,
    );
  const kind = line.has("serial") || consoles.vnc === null ? "serial" : "vnc";
  if (consoles[kind] === null) return fail(terminal, `${name} has no serial line in the file`);
  const isLocal = proxy.ip === "::1" || proxy.ip.startsWith("127.");
  const client = line.valueOf("client") ?? (isLocal ? proxy.ip : null);
  if (client === null)
    return fail(terminal, "which address has the browser?", "Say it: --client 198.51.100.7");
  if (isIP(client) === 0) return fail(terminal, `--client ${client} is no address`);
  const isViewOnly = line.has("view-only");
  const origin = originOf(proxy);
  const user = line.valueOf("user") ?? userInfo().username;
  const claims = { user, machine: name, kind, isViewOnly, client: clientAddress(client), origin } as const;
  const ticket = issueTicket(claims, readTicketKeys(keyFile), Date.now());
  terminal.write(`${consoleUrl(origin, kind, isViewOnly, ticket)}\n`);
  return 0;
}

async function list({ line, configuration, terminal }: Call): Promise<number> {
  const { viewers } = await askControlSocket(configuration.controlSocket, { command: "list" });
  if (line.has("json")) {
    terminal.write(`${JSON.stringify(viewers, null, 2)}\n`);
    return 0;
  }
  const rows = viewers.map((one) => [
    one.id,
    one.user,
    one.machine,
    one.kind,
    one.client,
    `${Math.round(one.seconds)} s`,
    one.isViewOnly ? "view only" : "",
  ]);
  for (const row of columns(rows)) terminal.write(`${row}\n`);
  if (viewers.length === 0) terminal.write("nobody looks at a console\n");
  return 0;
}

async function kick({ name = "", configuration, terminal }: Call): Promise<number> {
  const question = { command: "kick", name } as const;
  const { kicked } = await askControlSocket(configuration.controlSocket, question);
  if (kicked === 0) return fail(terminal, `nobody is ${name} or looks at it`);
  terminal.write(`${kicked} ended\n`);
  return 0;
}

async function user({ name = "", line, configuration, terminal }: Call): Promise<number> {
  const { usersFile } = configuration;
  if (usersFile === null)
    return fail(terminal, "the file names no file of users", "Write `consoles: {users: console-users}`.");
  const fault = userNameFault(name);
  if (fault !== null) return fail(terminal, fault);
  if (line.has("remove")) {
    if (!removeUser(usersFile, name)) return fail(terminal, `there is no user ${name}`);
    terminal.write(`${name} is gone\n`);
    return 0;
  }
  const asked = await askNewPassword(name, terminal);
  if (!asked.ok) return fail(terminal, asked.message);
  await setPassword(usersFile, name, asked.password);
  terminal.write(`${name} can log in\n`);
  return 0;
}

function fail(terminal: Terminal, message: string, help: string | null = null): 1 {
  terminal.error(`${colour(terminal.isErrorColour, "error", "error")}: ${message}\n`);
  if (help !== null) terminal.error(`  ${help}\n`);
  return 1;
}
