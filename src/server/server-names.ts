// Addresses of servers that are named by host name, as the system knows them: when a configuration is
// prepared, as `init-addr` says, and again every few seconds where no `resolvers` follow the name. A name
// that does not resolve for the moment keeps the address that it had; as long as an address is among the
// answers, it stays.
import { lookup } from "node:dns/promises";
import { parseIpAddress } from "../base/address.ts";
import type { Diagnostic } from "../diagnostic/diagnostic.ts";
import type { ProxyConfiguration, Server } from "../model/proxy.ts";
import { isServiceName } from "../model/resolvers.ts";

/** HAProxy's `hold valid`, which a `resolvers` section would set. */
const REFRESH_MS = 10_000;

/** IP addresses of a host name, best first. Rejects when there is none. */
export type LookUp = (host: string) => Promise<readonly string[]>;

export interface NameChange {
  readonly backend: string;
  readonly server: string;
  readonly host: string;
}

export interface ResolvedNames {
  /** By "BACKEND/SERVER"; without those that have no address. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly diagnostics: readonly Diagnostic[];
}

interface NamedServer {
  readonly key: string;
  readonly backend: string;
  readonly host: string;
  readonly server: Server;
}

export class ServerNames {
  readonly #lookUp: LookUp;
  readonly #handleChange: (change: NameChange) => void;
  #servers: readonly NamedServer[] = [];
  #addresses: Readonly<Record<string, string>> = {};
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(handleChange: (change: NameChange) => void, lookUp: LookUp = lookUpSystem) {
    this.#handleChange = handleChange;
    this.#lookUp = lookUp;
  }

  /**
   * The addresses that a configuration would be served with; what is `known` is not asked. Changes nothing.
   */
  async resolve(
    configuration: ProxyConfiguration,
    known: ResolvedNames["addresses"] = {},
  ): Promise<ResolvedNames> {
    const addresses: Record<string, string> = { ...known };
    const diagnostics: Diagnostic[] = [];
    await Promise.all(
      namedServersOf(configuration).map(async (named) => {
        if (named.key in known) return;
        const address = await this.#firstAddressOf(named);
        if (address === null) diagnostics.push(unresolved(named));
        else if (address !== "") addresses[named.key] = address;
      }),
    );
    return { addresses, diagnostics };
  }

  /** From now on these names are asked for again and again. */
  follow(configuration: ProxyConfiguration, addresses: Readonly<Record<string, string>>): void {
    this.stop();
    this.#servers = namedServersOf(configuration).filter(
      ({ server }) => server.resolution === null && server.initialAddress.includes("libc"),
    );
    this.#addresses = addresses;
    if (this.#servers.length > 0) this.#timer = setTimeout(() => void this.refresh(), REFRESH_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** One round. Ends when all names have been asked. */
  async refresh(): Promise<void> {
    const servers = this.#servers;
    await Promise.all(servers.map((named) => this.#refresh(named, servers)));
    // A configuration that came in between has a timer of its own.
    if (servers === this.#servers && this.#timer !== null)
      this.#timer = setTimeout(() => void this.refresh(), REFRESH_MS).unref();
  }

  async #refresh(named: NamedServer, servers: readonly NamedServer[]): Promise<void> {
    const address = await this.#addressOf(named);
    if (servers !== this.#servers || address === null || address === this.#addresses[named.key]) return;
    this.#addresses = { ...this.#addresses, [named.key]: address };
    this.#handleChange({ backend: named.backend, server: named.server.name, host: address });
  }

  /** "": it is to begin without. Null: nothing of what `init-addr` says has led to an address. */
  async #firstAddressOf(named: NamedServer): Promise<string | null> {
    const { initialAddress, resolution } = named.server;
    // Nobody but nameservers knows where a service is.
    if (resolution !== null && isServiceName(named.host)) return "";
    for (const method of initialAddress) {
      if (method === "none") return "";
      if (parseIpAddress(method) !== null) return method;
      const address = method === "libc" ? await this.#addressOf(named) : null;
      if (address !== null) return address;
    }
    return initialAddress.includes("libc") ? null : (this.#addresses[named.key] ?? null);
  }

  async #addressOf({ key, host }: NamedServer): Promise<string | null> {
    const present = this.#addresses[key] ?? null;
    try {
      const answers = await this.#lookUp(host);
      return present !== null && answers.includes(present) ? present : (answers[0] ?? present);
    } catch {
      return present;
    }
  }
}

/** Servers of a configuration that have a host name for an address. */
export function namedServersOf(configuration: ProxyConfiguration): NamedServer[] {
  return configuration.proxies.flatMap((proxy) =>
    [...(proxy.backend?.servers ?? []), ...(proxy.backend?.dispatch ? [proxy.backend.dispatch] : [])].flatMap(
      (server) => {
        if (server.address.kind !== "tcp" || parseIpAddress(server.address.host) !== null) return [];
        const { host } = server.address;
        return [{ key: `${proxy.name}/${server.name}`, backend: proxy.name, host, server }];
      },
    ),
  );
}

async function lookUpSystem(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

function unresolved({ key, host, server }: NamedServer): Diagnostic {
  return {
    code: "name-unresolved",
    severity: "warning",
    span: server.span,
    message: `the name '${host}' does not resolve, so server ${key} gets no traffic until it does`,
    help: "check the name, or write an IP address",
    related: [],
  };
}
