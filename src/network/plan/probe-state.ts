// Two ports more on a port group, with a namespace behind each, between which probes are sent while a switch
// is changed: what the frames of a machine would meet there, they meet too. Their addresses are IPv6 ones of
// a prefix that nobody in the network has, so that no machine answers or is taken for one.
import { type Ip, ipOfValue } from "../../base/ip.ts";
import { macOfName } from "../../base/mac.ts";
import { contentHash } from "./kernel-names.ts";
import { type NamespaceDraft, newLink } from "./namespace-draft.ts";
import type { Wiring } from "./wiring.ts";

export interface Probe {
  readonly switch: string;
  readonly portGroup: string;
  /** Where they are sent from, and to whom. */
  readonly namespace: string;
  readonly address: Ip;
}

const DEVICE = "probe";
/** Of addresses that are unique without asking anybody (RFC 4193): fd, then 40 bits by chance. */
const UNIQUE_LOCAL = 0xfdn;
const PREFIX_LENGTH = 64;

/** One for each port group of these switches that has a port here. */
export function addProbes(wiring: Wiring, switches: readonly string[]): Probe[] {
  // Probes get ports too, which are not to be probed again.
  const ports = [...wiring.ports];
  return wiring.resolved.source.switches
    .filter(({ name }) => switches.includes(name))
    .flatMap(({ name, portGroups }) =>
      portGroups.flatMap((group): Probe[] => {
        const port = ports.find(({ portGroup }) => portGroup === group);
        return port === undefined ? [] : [addProbe(wiring, name, group.name, port.network)];
      }),
    );
}

function addProbe(wiring: Wiring, switchName: string, portGroup: string, network: string): Probe {
  const place = `${switchName}.${portGroup}`;
  const chosen = BigInt(`0x${contentHash(place)}`) & 0xff_ffff_ffffn;
  const prefix = (UNIQUE_LOCAL << 120n) | (chosen << 80n);
  const ends = [1n, 2n].map((side) => {
    const name = `probe-${side}.${place}`;
    const draft = wiring.drafts.namespace(name, `probe of ${switchName}/${portGroup}`);
    wiring.connect(draft, DEVICE, name, "eth0", network, { mac: macOfName(name) });
    const link = taggedLink(draft, wiring, network);
    const address = ipOfValue(prefix | side, 6)!;
    draft.address(link, address, PREFIX_LENGTH);
    return { namespace: draft.name!, address, link };
  });
  const [from, to] = ends;
  return { switch: switchName, portGroup, namespace: from!.namespace, address: to!.address };
}

/** Where machines tag by themselves, a probe does so too: in the first VLAN that its port group lets pass. */
function taggedLink(draft: NamespaceDraft, wiring: Wiring, network: string): string {
  const vlan = wiring.ports.at(-1)?.portGroup?.vlan?.value;
  if (vlan?.kind !== "trunk" || !wiring.options.isVlanAware) return DEVICE;
  const id = vlan.ranges[0]!.first;
  const name = `${DEVICE}.${id}`;
  const kind = { kind: "vlan", link: DEVICE, id, protocol: "802.1Q" } as const;
  draft.links.push(newLink({ name, kind, alias: wiring.alias(name), mtu: wiring.mtuOf(network) }));
  return name;
}
