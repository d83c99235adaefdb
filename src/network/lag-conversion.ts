// The uplinks of a switch that aggregate cables without LACP become LAGs that speak it, in the file: the mode
// of the bond, and the LAG at the other end where the file has it. Who does the same in the physical switch
// is told which, since nobody here can.
import type { Span } from "../diagnostic/span.ts";
import type { Datacenter } from "../model/datacenter.ts";
import type { DocumentEdit } from "../model/document-edit.ts";
import { fabricLagOf } from "./topology/fabric.ts";
import { bondModeOf } from "./topology/topology.ts";

export interface LagConversion {
  readonly edits: readonly DocumentEdit[];
  /** For who sets the other end. */
  readonly words: readonly string[];
}

/**
 * Of one switch, and of one host where `host` is not null; `file`: the only one that may change. A sentence
 * when it cannot be done so. What is a LAG of LACP already has no edits.
 */
export function convertLags(
  datacenter: Datacenter,
  switchName: string,
  file: string,
  host: string | null,
): LagConversion | string {
  const edits: DocumentEdit[] = [];
  const words: string[] = [];
  const one = datacenter.switches.find(({ name }) => name === switchName);
  for (const uplink of one?.uplinks ?? []) {
    if (host !== null && uplink.host.value !== host) continue;
    const place = datacenter.hosts.find(({ name }) => name === uplink.host.value);
    const bond = place?.bonds.find(({ name }) => name === uplink.link.value);
    if (place === undefined || bond === undefined || bondModeOf(bond) === "802.3ad") continue;
    const mode = bondModeOf(bond);
    if (mode !== "balance-xor" && mode !== "balance-rr")
      return `${bond.name} of ${place.name} is in mode ${mode}, which is no static LAG: give it a mode by hand`;
    const found = fabricLagOf(place, bond, datacenter);
    const lag = found?.lag ?? null;
    const elsewhere = [bond.span, ...(lag === null ? [] : [lag.span])].find((span) => span.file !== file);
    if (elsewhere !== undefined) return inOtherFile(bond.name, elsewhere, file);
    edits.push({
      kind: "set",
      file,
      path: ["hosts", place.name, "bonds", bond.name, "mode"],
      value: "802.3ad",
    });
    if (found === null || lag === null) {
      words.push(`${bond.name} of ${place.name} speaks LACP: the switch at its other end must, too`);
      continue;
    }
    if (lag.lacp?.value === "off")
      edits.push({
        kind: "set",
        file,
        path: ["fabric", found.fabric.name, "lags", lag.name, "lacp"],
        value: "active",
      });
    words.push(
      `${bond.name} of ${place.name} speaks LACP: set LAG ${lag.name} in ${found.fabric.name} to it, too`,
    );
  }
  return edits.length === 0 ? `${switchName} has no uplink that is a LAG without LACP` : { edits, words };
}

function inOtherFile(bond: string, span: Span, file: string): string {
  return `${bond} and its other end are also in ${span.file}, and only ${file} is changed: write it there by hand`;
}
