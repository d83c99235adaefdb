// Port mirroring: what a port sends and gets is copied to the port of the machine that listens, by rules of
// the ports themselves, before and behind everything that the bridge does. The listener gets frames that are
// not for it, as at the mirror port of a switch.
import type { MirrorSession, Switch } from "../../model/datacenter.ts";
import { type NftChain, quoted } from "./nft-table.ts";
import type { BridgePortRecord, Wiring } from "./wiring.ts";

export const MIRROR_TABLE = "sallyport_mirror";

export function addMirrors(wiring: Wiring): void {
  const targets = new Map<string, string[]>();
  for (const one of wiring.resolved.source.switches) {
    const ports = wiring.ports.filter(
      ({ network }) => wiring.network(network)?.portGroup?.switch === one.name,
    );
    for (const mirror of one.mirrors) {
      const target = targetOf(mirror, one, ports, wiring);
      if (target === null) continue;
      const sources = ports.filter((port) => isFrom(mirror, port));
      if (sources.length === 0)
        noteThat(`${mirror.from.value} has no port on this machine`, mirror, one, wiring);
      for (const { link } of sources)
        if (link !== target) targets.set(link, [...(targets.get(link) ?? []), target]);
    }
  }
  if (targets.size === 0) return;
  const chains = [...targets].flatMap(([link, copies], index) => {
    const rules = [...new Set(copies)].map((target) => `dup to ${quoted(target)}`);
    return (["ingress", "egress"] as const).map(
      (hook): NftChain => ({
        name: `sp_${hook}_${index + 1}`,
        hook: `type filter hook ${hook} device ${quoted(link)} priority 0; policy accept;`,
        rules,
      }),
    );
  });
  wiring.fabricTable("netdev", MIRROR_TABLE, { maps: [], chains });
}

function isFrom({ from }: MirrorSession, { machine, portGroup }: BridgePortRecord): boolean {
  return machine?.name === from.value || portGroup?.name === from.value;
}

function noteThat(why: string, { from }: MirrorSession, { name }: Switch, { drafts }: Wiring): void {
  drafts.notes.push(`the mirror of ${from.value} on ${name} copies nothing: ${why}`);
}

/** The port that gets the copies; null, with a note, when there is none here. */
function targetOf(
  mirror: MirrorSession,
  one: Switch,
  ports: readonly BridgePortRecord[],
  wiring: Wiring,
): string | null {
  const { to, remote } = mirror;
  const port = ports.find(({ machine }) => machine !== null && machine.name === to?.value);
  if (port !== undefined) return port.link;
  const why =
    to === null
      ? `copies to ${typeof remote?.value === "number" ? "a VLAN" : "an address"} are not made`
      : `${to.value} has no port on this machine`;
  noteThat(why, mirror, one, wiring);
  return null;
}
