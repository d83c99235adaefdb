// The datacentre that the demo's dashboard shows: a copy of the example, in which three machines have the
// serial lines of the demo's web servers, and a console proxy that carries them to browsers. Somebody may
// mend the file from the dashboard, so it is a copy.
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { join } from "node:path";
import { programFile } from "../../base/program-files.ts";
import { applyEdits } from "../../language/datacenter/edit.ts";
import type { DocumentValue } from "../../model/document-edit.ts";
import { readCertificate } from "../../server/certificates/read-certificate.ts";
import { auditLog } from "../../server/console/audit-log.ts";
import { ConsoleServer } from "../../server/console/console-server.ts";
import { type ConsoleReload, openControlSocket } from "../../server/console/control-socket.ts";
import { ensureTicketKeys } from "../../server/console/tickets.ts";
import { SerialConsole } from "./serial-console.ts";
import type { DemoWebServer } from "./web-server.ts";

const IDLE_MS = 15 * 60_000;
const SESSION_MS = 60 * 60_000;

export interface DemoNetwork {
  readonly file: string;
  close(): void;
}

export interface DemoNetworkOptions {
  readonly directory: string;
  readonly servers: readonly DemoWebServer[];
  /** Of the consoles, on loopback. */
  readonly port: number;
  /** PEM with key, for localhost. */
  readonly certificatePath: string;
}

/** Null when the example is not there, or its copy cannot be changed; then there is no network to show. */
export async function openDemoNetwork(options: DemoNetworkOptions): Promise<DemoNetwork | null> {
  const { directory, servers, port, certificatePath } = options;
  const example = programFile("examples", "company");
  // Two demos at once have a copy each, as they have a configuration each.
  const folder = join(directory, `company-${port}`);
  const file = join(folder, "datacenter.yaml");
  if (!existsSync(join(example, "datacenter.yaml"))) return null;
  cpSync(example, folder, { recursive: true });
  const lines = servers.map(
    (server) => new SerialConsole(server, join(directory, `${server.name}-${process.pid}.serial`)),
  );
  const backends = Object.fromEntries(
    lines.map(({ path }, i) => [servers[i]!.name.toLowerCase(), { serial: `unix:${path}` }]),
  );
  const origin = `localhost:${port}`;
  if (!editCopy(file, { public: origin, certificate: certificatePath, backends })) return null;
  await Promise.all(lines.map((line) => line.open()));
  const consoles = await openConsoles(options, folder, lines, origin);
  return {
    file,
    close: () => {
      for (const line of lines) line.close();
      consoles.control.close();
      void consoles.server.close();
    },
  };
}

async function openConsoles(
  { servers, port, certificatePath }: DemoNetworkOptions,
  folder: string,
  lines: readonly SerialConsole[],
  origin: string,
): Promise<{ readonly server: ConsoleServer; readonly control: Server }> {
  const span = { file: certificatePath, line: 0, column: 0, endColumn: 0 };
  const { certificates } = readCertificate(certificatePath, span, { environment: {} });
  const keyFile = join(folder, "consoles.key");
  ensureTicketKeys(keyFile);
  const consolesOf = (path: string) => ({
    vnc: null,
    serial: { address: { kind: "unix", path } as const, fingerprint: null, passwordFile: null },
  });
  const server = new ConsoleServer({
    proxy: { ip: "127.0.0.1", port, certificates, public: origin },
    portal: null,
    machines: new Map(lines.map(({ path }, i) => [servers[i]!.name.toLowerCase(), consolesOf(path)])),
    keyFile,
    limits: { idleMs: IDLE_MS, sessionMs: SESSION_MS },
    audit: auditLog(
      () => {},
      () => {},
    ),
  });
  await server.start();
  return { server, control: await openControlSocket(join(folder, "consoles.sock"), server, refuse) };
}

/** The demo's consoles are its own, and not those of a file. */
function refuse(): ConsoleReload {
  return { isSuccess: false, text: "the demo does not read its consoles again\n" };
}

/** False when the copy is not as the example was. */
function editCopy(
  file: string,
  {
    public: outside,
    certificate,
    backends,
  }: { public: string; certificate: string; backends: DocumentValue },
): boolean {
  const set = (path: readonly string[], value: DocumentValue) =>
    ({ kind: "set", file, path, value }) as const;
  const edits = [
    set(["consoles", "proxy", "certificate"], certificate),
    set(["consoles", "proxy", "public"], outside),
    set(["consoles", "backends"], backends),
    { kind: "delete", file, path: ["consoles", "portal"] } as const,
  ];
  const edited = applyEdits(readFileSync(file, "utf8"), edits, file);
  if (edited.ok) writeFileSync(file, edited.text);
  return edited.ok;
}
