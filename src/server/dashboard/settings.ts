// Where the dashboard is served and who may use it, from the words of the command line. On loopback it needs
// nothing; anywhere else TLS and a file of users, or it is not served at all.
import { parseIp } from "../../base/ip.ts";
import type { SignOn } from "../console/sign-on.ts";

export interface DashboardSettings {
  /** As it was written: "8404", "localhost:8404", "192.0.2.1:8404". */
  readonly address: string;
  /** PEM or PFX; null: no TLS. */
  readonly certificateFile: string | null;
  /** Lines of `sallyport dashboard user`; null: nobody logs in, everybody is admin. */
  readonly usersFile: string | null;
  /** A sign-on proxy in front, which says who asks; null: none. */
  readonly signOn: SignOn | null;
  /** Names besides the address and those of the certificate by which browsers may call it. */
  readonly names: readonly string[];
  /** Lines of JSON; null: told as other messages are. */
  readonly auditFile: string | null;
  /** A datacenter.yaml whose topology, ways and consoles are shown; null: none. */
  readonly datacenterFile: string | null;
  readonly isDemo: boolean;
  /** Of the built browser side; left out: the one of the package. */
  readonly assetsDirectory?: string;
}

export interface ListenPlace {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** `localhost` is two addresses, of which a machine may have only one. */
  readonly isOptional: boolean;
}

export type PlacesReading =
  | { readonly ok: true; readonly places: readonly ListenPlace[]; readonly isLoopback: boolean }
  | { readonly ok: false; readonly message: string; readonly help: string | null };

const SAFE_ELSEWHERE =
  "Add --dashboard-certificate FILE and --dashboard-users FILE, or write localhost before the port.";

/** The places to listen at, or why it must not be served like this. */
export function readPlaces(settings: DashboardSettings): PlacesReading {
  const places = placesOf(settings.address);
  if (places === null) {
    const message = `${settings.address} is no address to listen on`;
    return {
      ok: false,
      message,
      help: "Write a port, localhost:8404, 192.0.2.1:8404 or [2001:db8::1]:8404.",
    };
  }
  const onlyLoopback = places.every(({ host }) => host === "::1" || host.startsWith("127."));
  const lacking = [
    settings.certificateFile === null ? "TLS" : null,
    settings.usersFile === null && settings.signOn === null ? "a login" : null,
  ].filter((what) => what !== null);
  if (!onlyLoopback && lacking.length > 0) {
    const message = `the dashboard on ${settings.address} could be reached from elsewhere and has not ${lacking.join(" and ")}`;
    return { ok: false, message, help: SAFE_ELSEWHERE };
  }
  // A name of its own is for others, through a proxy on this machine.
  const [name] = settings.names;
  if (name !== undefined && lacking.includes("a login")) {
    const message = `the dashboard would answer as ${name}, to others than this machine, without a login`;
    return { ok: false, message, help: "Add --dashboard-users FILE, or --dashboard-sign-on HEADER=FROM." };
  }
  return { ok: true, places, isLoopback: onlyLoopback };
}

/** Null: it is no address. A port alone is that of loopback. */
function placesOf(text: string): ListenPlace[] | null {
  const [, bracketed, plain, digits = ""] = /^(?:(?:\[(.+)\]|([^:]+)):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === "" || port > 65_535) return null;
  const host = bracketed ?? plain ?? "localhost";
  if (host === "localhost")
    return [
      { host: "127.0.0.1", port, isOptional: false },
      { host: "::1", port, isOptional: true },
    ];
  const ip = parseIp(host);
  return ip === null ? null : [{ host: ip, port, isOptional: false }];
}
