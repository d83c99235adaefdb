// The options of `run` and of HAProxy's flags that are about the dashboard.
import { parseIp, parseSubnet, subnetOf } from "../base/ip.ts";
import { type DashboardSettings, readPlaces } from "../server/dashboard/settings.ts";
import type { CommandLine } from "./command-line.ts";

export const DASHBOARD_HELP = `  --dashboard ADDRESS           serve the dashboard: 8404 and localhost:8404 are on this machine only, any other address
                                takes the next two as well
  --dashboard-certificate FILE  its certificate with key, PEM or PFX
  --dashboard-users FILE        who may log in; sallyport dashboard user FILE NAME adds somebody
  --dashboard-sign-on HEADER=FROM  a proxy in front has found out who asks: X-Remote-User=192.0.2.0/24
  --dashboard-name NAME         what else browsers may call it, besides its address and the names in the certificate
  --dashboard-audit FILE        what is done in it, a line of JSON each (default: among the messages)
  --datacenter FILE             the datacentre whose topology, packets and consoles it shows
`;

export const DASHBOARD_OPTIONS = [
  { name: "dashboard", takesValue: true },
  { name: "dashboard-certificate", takesValue: true },
  { name: "dashboard-users", takesValue: true },
  { name: "dashboard-sign-on", takesValue: true },
  { name: "dashboard-name", takesValue: true },
  { name: "dashboard-audit", takesValue: true },
  { name: "datacenter", takesValue: true },
] as const;

export type DashboardReading =
  | { readonly kind: "read"; readonly settings: DashboardSettings | null }
  | { readonly kind: "wrong"; readonly message: string; readonly help: string | null };

/**
 * `settings` null: none is wanted. Whether it may be served like this is found out here, before anything
 * starts.
 */
export function readDashboardOptions(line: CommandLine, isDemo: boolean): DashboardReading {
  const address = line.valueOf("dashboard");
  if (address === null) {
    const [orphan] = DASHBOARD_OPTIONS.filter(({ name }) => line.valueOf(name) !== null);
    if (orphan === undefined) return { kind: "read", settings: null };
    return { kind: "wrong", message: `--${orphan.name} is for a dashboard`, help: "Add --dashboard 8404." };
  }
  const signOn = readSignOn(line.valueOf("dashboard-sign-on"));
  if (signOn === "wrong")
    return {
      kind: "wrong",
      message: `--dashboard-sign-on ${line.valueOf("dashboard-sign-on")} is no header and addresses`,
      help: "Write --dashboard-sign-on X-Remote-User=192.0.2.0/24, several addresses with commas.",
    };
  const settings: DashboardSettings = {
    address,
    certificateFile: line.valueOf("dashboard-certificate"),
    usersFile: line.valueOf("dashboard-users"),
    signOn,
    names: line.valuesOf("dashboard-name"),
    auditFile: line.valueOf("dashboard-audit"),
    datacenterFile: line.valueOf("datacenter"),
    isDemo,
  };
  const places = readPlaces(settings);
  if (!places.ok) return { kind: "wrong", message: places.message, help: places.help };
  return { kind: "read", settings };
}

function readSignOn(text: string | null): DashboardSettings["signOn"] | "wrong" {
  if (text === null) return null;
  const [header = "", ...rest] = text.split("=");
  const words = rest.join("=").split(",");
  const from = words.flatMap((word) => {
    const ip = parseIp(word);
    const subnet = ip === null ? parseSubnet(word)?.subnet : subnetOf(ip, ip.includes(":") ? 128 : 32);
    return subnet === undefined ? [] : [subnet];
  });
  const isGood = /^[\w-]+$/.test(header) && from.length === words.length;
  return isGood ? { header: header.toLowerCase(), from } : "wrong";
}
