// From `consoles` of a datacentre file to what the console server is started with: files beside the file,
// certificates read, each machine with its consoles. Everything that is wrong is told at once.
import { dirname, isAbsolute, join } from "node:path";
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";
import type {
  ConsoleAddress,
  ConsoleBackend,
  ConsoleEndpoint,
  ConsoleRight,
  Consoles,
  Datacenter,
  Located,
} from "../../model/datacenter.ts";
import { EVERYBODY } from "../../network/console-rights.ts";
import { readCertificate } from "../certificates/read-certificate.ts";
import type {
  ConsoleRenewal,
  ConsoleServerOptions,
  ConsolesOfMachine,
  ReadEndpoint,
} from "./console-server.ts";
import type { PortalOptions } from "./portal.ts";
import type { TlsEndpoint } from "./tls-server.ts";
import { readUsers } from "./users.ts";

/** All but the audit log, and the files that the commands need. */
export interface ConsoleConfiguration extends Pick<ConsoleServerOptions, "keyFile">, ConsoleRenewal {
  readonly usersFile: string | null;
  /** Null: every user may open every console. */
  readonly rights: readonly ConsoleRight[] | null;
  /** Null: standard output. */
  readonly auditFile: string | null;
  readonly controlSocket: string;
}

/** What whoever hands out tickets needs; the certificates are for the process that serves consoles. */
export interface ConsoleDesk
  extends Pick<ConsoleConfiguration, "machines" | "keyFile" | "controlSocket" | "rights"> {
  readonly proxy: Omit<TlsEndpoint, "certificates">;
}

/** Null: the file says nothing of a console proxy. Arguments as of `readConsoleConfiguration`. */
export function readConsoleDesk(
  { consoles }: Datacenter,
  path: string,
  virtual: ReadonlyMap<string, ConsolesOfMachine>,
): ConsoleDesk | null {
  if (consoles === null || consoles.proxy === null) return null;
  const { address, public: outside } = consoles.proxy;
  const here = (file: string) => join(dirname(path), file);
  return {
    proxy: { ...address.value, public: outside?.value ?? null },
    machines: new Map([
      ...virtual,
      ...consoles.backends.map((one) => [one.machine.value, consolesOf(one)] as const),
    ]),
    rights: consoles.rights,
    keyFile: besideFile(consoles.key) ?? here("consoles.key"),
    controlSocket: besideFile(consoles.control) ?? here("consoles.sock"),
  };
}

export interface ConfigurationReading {
  /** Null when something is wrong. */
  readonly configuration: ConsoleConfiguration | null;
  readonly diagnostics: readonly Diagnostic[];
}

const IDLE_DEFAULT_MS = 15 * 60_000;
const SESSION_DEFAULT_MS = 8 * 3_600_000;

/**
 * `path` is that of the datacentre file: what it does not name is beside it. `virtual`: the consoles of
 * machines that are started here; what the file says of one counts instead.
 */
export function readConsoleConfiguration(
  datacenter: Datacenter,
  path: string,
  virtual: ReadonlyMap<string, ConsolesOfMachine>,
  options: Parameters<typeof readCertificate>[2] = {},
): ConfigurationReading {
  const { consoles, name } = datacenter;
  const reader = new Reader(options);
  const desk = readConsoleDesk(datacenter, path, virtual);
  if (consoles === null || consoles.proxy === null || desk === null) {
    reader.error("consoles-absent", consoles?.span ?? name.span, "the file says nothing of a console proxy", {
      help: 'Write `consoles: {proxy: {address: "203.0.113.11:443", certificate: console.pfx}}`.',
    });
    return { configuration: null, diagnostics: reader.diagnostics };
  }
  const proxy = reader.endpoint(consoles.proxy, "console proxy");
  const portal = consoles.portal === null ? null : reader.endpoint(consoles.portal, "portal");
  const usersFile = besideFile(consoles.users);
  reader.checkUsers(consoles, usersFile);
  const login: PortalOptions = {
    usersFile,
    rights: consoles.rights,
    signOn:
      consoles.signOn === null
        ? null
        : { header: consoles.signOn.header.value, from: consoles.signOn.from.map(({ value }) => value) },
  };
  const { diagnostics } = reader;
  if (diagnostics.some(({ severity }) => severity === "error")) return { configuration: null, diagnostics };
  return {
    configuration: {
      ...desk,
      proxy,
      portal: portal === null ? null : { ...portal, ...login },
      limits: {
        idleMs: consoles.idleMs?.value ?? IDLE_DEFAULT_MS,
        sessionMs: consoles.sessionMs?.value ?? SESSION_DEFAULT_MS,
      },
      usersFile,
      auditFile: besideFile(consoles.audit),
    },
    diagnostics,
  };
}

class Reader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #options: Parameters<typeof readCertificate>[2];

  constructor(options: Parameters<typeof readCertificate>[2]) {
    this.#options = options;
  }

  endpoint({ address, certificate, public: outside, span }: ConsoleEndpoint, words: string): ReadEndpoint {
    const { ip, port } = address.value;
    const common = { ip, port, public: outside?.value ?? null };
    if (certificate === null) {
      this.error("console-without-certificate", span, `the ${words} needs a certificate to be served`, {
        help: "Write `certificate: console.pfx`.",
      });
      return { ...common, certificates: [], diagnostics: [] };
    }
    const { certificates, diagnostics } = readCertificate(
      besideFile(certificate)!,
      certificate.span,
      this.#options,
    );
    this.diagnostics.push(...diagnostics);
    return { ...common, certificates, diagnostics };
  }

  /** Names that nobody can log in by; those of a sign-on proxy are known to it alone. */
  checkUsers({ rights, signOn }: Consoles, usersFile: string | null): void {
    if (rights === null || signOn !== null || usersFile === null) return;
    let users: ReadonlyMap<string, unknown>;
    try {
      users = readUsers(usersFile);
    } catch {
      return;
    }
    for (const { value, span } of rights.map(({ user }) => user)) {
      if (value === EVERYBODY || users.has(value)) continue;
      const message = `\`${value}\` has rights, but is not in ${usersFile}`;
      const help =
        suggestWord(value, users.keys()) ?? `\`sallyport console user FILE ${value}\` adds a user.`;
      this.diagnostics.push({
        ...{ code: "console-right-unknown-user", severity: "warning", span, message, help, related: [] },
      });
    }
  }

  error(code: string, span: Span, message: string, { help }: { readonly help: string }): void {
    this.diagnostics.push({ code, severity: "error", span, message, help, related: [] });
  }
}

function consolesOf({ vnc, serial, passwordFile, fingerprint }: ConsoleBackend): ConsolesOfMachine {
  const backendOf = (address: Located<ConsoleAddress> | null) =>
    address === null
      ? null
      : {
          address: address.value,
          fingerprint: fingerprint?.value ?? null,
          passwordFile: besideFile(passwordFile),
        };
  return { vnc: backendOf(vnc), serial: backendOf(serial) };
}

/** Relative to the file that names it. */
function besideFile(named: Located<string> | null): string | null {
  if (named === null) return null;
  return isAbsolute(named.value) ? named.value : join(dirname(named.span.file), named.value);
}
