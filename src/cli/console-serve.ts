// `sallyport console serve`: the process that carries consoles, until a signal ends it; and how it is told to
// read its file again, by SIGHUP or `console reload`.
import { once } from "node:events";
import { appendTo, auditLog } from "../server/console/audit-log.ts";
import {
  type ConsoleConfiguration,
  readConsoleConfiguration,
  readConsoleDesk,
} from "../server/console/configuration.ts";
import { ConsoleServer } from "../server/console/console-server.ts";
import { askControlSocket, type ConsoleReload, openControlSocket } from "../server/console/control-socket.ts";
import { ensureTicketKeys } from "../server/console/tickets.ts";
import { virtualConsoles } from "../server/datacenter/virtual-consoles.ts";
import { loadUsable } from "./datacenter-file.ts";
import { diagnosticsText } from "./print-diagnostics.ts";
import type { Terminal } from "./terminal.ts";

/** What is opened once, when it starts. */
const PLACES = ["keyFile", "auditFile", "controlSocket"] as const;
const REFUSED = "not reloaded: the old configuration goes on\n";

/** What is wrong is said; null when it leaves nothing to serve. */
export function loadConsoles(file: string, terminal: Terminal): ConsoleConfiguration | null {
  const usable = loadUsable(file, terminal);
  if (usable === null) return null;
  const { configuration, diagnostics } = readConsoleConfiguration(
    usable.datacenter,
    file,
    virtualConsoles(usable.resolved),
  );
  terminal.error(diagnosticsText(diagnostics, usable.sources, terminal.isErrorColour));
  return configuration;
}

/** Rejects when an address or the control socket cannot be had. */
export async function serveConsoles(
  file: string,
  configuration: ConsoleConfiguration,
  terminal: Terminal,
): Promise<number> {
  const { keyFile, auditFile, controlSocket } = configuration;
  ensureTicketKeys(keyFile);
  const audit = auditLog(auditFile === null ? terminal.write : appendTo(auditFile), (message) =>
    terminal.error(`${message}\n`),
  );
  const server = new ConsoleServer({ ...configuration, audit });
  await server.start();
  const reload = () => readAgain(file, configuration, server, terminal);
  const handleHangup = () => void reload();
  try {
    const control = await openControlSocket(controlSocket, server, reload);
    process.on("SIGHUP", handleHangup);
    terminal.error(`consoles: ${server.origin}\n`);
    if (server.portalOrigin !== null) terminal.error(`portal:   ${server.portalOrigin}\n`);
    await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
    control.close();
  } finally {
    process.off("SIGHUP", handleHangup);
    await server.close();
  }
  return 0;
}

/** `console reload`. Rejects when nobody serves. */
export async function reloadConsoles(file: string, terminal: Terminal): Promise<number> {
  const usable = loadUsable(file, terminal);
  const desk =
    usable === null ? null : readConsoleDesk(usable.datacenter, file, virtualConsoles(usable.resolved));
  if (desk === null) {
    terminal.error(REFUSED);
    return 1;
  }
  const { reload } = await askControlSocket(desk.controlSocket, { command: "reload" });
  if (reload?.isSuccess === true) terminal.write(reload.text);
  else terminal.error(reload?.text ?? REFUSED);
  return reload?.isSuccess === true ? 0 : 1;
}

/** What came of it is said here, and to who has asked. */
function readAgain(
  file: string,
  first: ConsoleConfiguration,
  server: ConsoleServer,
  terminal: Terminal,
): ConsoleReload {
  let text = "";
  const error = (part: string) => {
    text += part;
  };
  const configuration = loadConsoles(file, { ...terminal, isErrorColour: false, error });
  if (configuration === null) text += REFUSED;
  else {
    const said = server.reload(configuration);
    if (PLACES.some((place) => configuration[place] !== first[place]))
      said.push("key, audit log and control socket stay where they are: other ones need a start");
    text += [...said, "reloaded"].map((line) => `${line}\n`).join("");
  }
  terminal.error(text);
  return { isSuccess: configuration !== null, text };
}
