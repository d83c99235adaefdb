// The physical switches: those of the file, or one made up that carries everything where the file has none.
import type { Span } from "../../diagnostic/span.ts";
import type {
  Bond,
  BondHash,
  Datacenter,
  FabricLag,
  FabricLink,
  FabricPort,
  FabricSwitch,
  Host,
} from "../../model/datacenter.ts";
import { lagFault } from "../bond/lag-agreement.ts";
import { nodeIdOf } from "../device/recorder.ts";
import type { BridgeDraft } from "./bridge-draft.ts";
import type { TopologyBuilder } from "./build-topology.ts";
import type { BridgePortRole, LagFault, PortPlace } from "./topology.ts";

/** Jumbo frames: what the file does not limit. */
const FABRIC_MTU_DEFAULT = 9216;
const HASH_DEFAULT: BondHash = "layer2+3";
const MADE_UP = "fabric";

export interface FabricBuilder {
  /** A port for who is outside, in one VLAN. */
  attachOutside(name: string, vlan: number, span: Span): PortPlace;
}

export function addFabric(builder: TopologyBuilder): FabricBuilder {
  const { source } = builder.resolved;
  for (const one of source.fabric) addSwitch(builder, one);
  addMadeUp(builder);
  const [first] = builder.bridges.values().filter(({ kind }) => kind === "fabric");
  return {
    attachOutside(name, vlan, span) {
      const draft = first ?? builder.bridge("fabric", MADE_UP, FABRIC_MTU_DEFAULT);
      const port = `to ${name}`;
      // QinQ ends at the provider: what is outside sees the inner VLAN's frames only by its own outer tag.
      const native = vlan === 0 ? null : { vlan: vlan < 4096 ? vlan : vlan >> 12, span };
      const role: BridgePortRole = { kind: "physical", trunk: native === null ? null : [], native };
      draft.add({ name: port, role, lag: null, mtu: draft.mtu, span });
      return { node: draft.id, port };
    },
  };
}

/**
 * The fabric's side of a host's bond: the switch and the LAG of the first port that one of its links is
 * plugged into.
 */
export function fabricLagOf(
  host: Host,
  bond: Bond,
  { fabric }: Datacenter,
): { readonly fabric: FabricSwitch; readonly port: FabricPort; readonly lag: FabricLag | null } | null {
  for (const { value } of bond.links) {
    const wanted = `${host.name}/${value}`;
    for (const one of fabric) {
      const port = one.ports.find(({ to }) => to?.value === wanted);
      if (port === undefined) continue;
      return { fabric: one, port, lag: one.lags.find(({ name }) => name === port.lag?.value) ?? null };
    }
  }
  return null;
}

function addSwitch(builder: TopologyBuilder, one: FabricSwitch): void {
  const { source } = builder.resolved;
  const draft = builder.bridge("fabric", one.name, FABRIC_MTU_DEFAULT);
  for (const port of one.ports) {
    const lag = one.lags.find(({ name }) => name === port.lag?.value) ?? null;
    const link: FabricLink = lag ?? port;
    const mtu = link.mtu?.value ?? FABRIC_MTU_DEFAULT;
    draft.add({ name: port.name, role: roleOf(link), lag: lag?.name ?? null, mtu, span: (lag ?? port).span });
    if (port.to !== null) connectPort(builder, draft, port.name, port.to.value);
  }
  for (const lag of one.lags) {
    const members = one.ports.filter((port) => port.lag?.value === lag.name);
    draft.addLag({
      name: lag.name,
      hash: lag.hash?.value ?? HASH_DEFAULT,
      members: members.map(({ name }) => name),
      fault: faultOf(lag, members, source),
      span: lag.span,
    });
  }
}

/** "web-host/eth0" or "tor-2/24". Each cable may be written at either end. */
function connectPort(builder: TopologyBuilder, draft: BridgeDraft, port: string, to: string): void {
  const [name = "", other = ""] = to.split("/", 2);
  const { hosts, fabric } = builder.resolved.source;
  const kind = hosts.some((one) => one.name === name)
    ? "host"
    : fabric.some((one) => one.name === name)
      ? "fabric"
      : null;
  if (kind !== null)
    builder.connect({ node: draft.id, port }, { node: nodeIdOf({ kind, name }), port: other });
}

function faultOf(lag: FabricLag, members: readonly FabricPort[], { hosts }: Datacenter): LagFault | null {
  for (const { to } of members) {
    const [name, link] = to?.value.split("/", 2) ?? [];
    const host = hosts.find((one) => one.name === name);
    if (host === undefined || link === undefined) continue;
    const bond = host.bonds.find(({ links }) => links.some(({ value }) => value === link));
    if (bond !== undefined) return lagFault(bond, lag);
  }
  return null;
}

function roleOf({ trunk, native }: FabricLink): BridgePortRole {
  return {
    kind: "physical",
    trunk: trunk.map(({ value, span }) => ({ range: value, span })),
    native: native === null ? null : { vlan: native.value, span: native.span },
  };
}

/** Cards that no port of the file is connected to meet in a switch that is assumed. */
function addMadeUp(builder: TopologyBuilder): void {
  const { hosts, fabric } = builder.resolved.source;
  const known = new Set(fabric.flatMap(({ ports }) => ports.map(({ to }) => to?.value)));
  for (const host of hosts) {
    const loose = host.interfaces.filter(({ name }) => !known.has(`${host.name}/${name}`));
    // With a fabric in the file, a card that it does not mention is plugged in nowhere.
    if (loose.length === 0 || fabric.length > 0) continue;
    const draft = builder.bridge("fabric", MADE_UP, FABRIC_MTU_DEFAULT);
    for (const { name, span } of loose) {
      const bond = host.bonds.find(({ links }) => links.some(({ value }) => value === name));
      const isAggregate = bond !== undefined && bond.mode?.value !== "active-backup";
      const lag = isAggregate ? `${host.name}/${bond.name}` : null;
      const port = `${host.name}/${name}`;
      draft.add({
        name: port,
        role: { kind: "physical", trunk: null, native: null },
        lag,
        mtu: draft.mtu,
        span,
      });
      builder.connect(
        { node: draft.id, port },
        { node: nodeIdOf({ kind: "host", name: host.name }), port: name },
      );
    }
    for (const bond of host.bonds) {
      const members = bond.links.map(({ value }) => `${host.name}/${value}`);
      const name = `${host.name}/${bond.name}`;
      draft.addLag({ name, hash: bond.hash?.value ?? HASH_DEFAULT, members, fault: null, span: bond.span });
    }
  }
}
