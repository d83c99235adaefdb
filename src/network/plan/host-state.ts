// What of the host itself is ours: bonds, VLAN devices, bridges and addresses that the file says for it.
// Network cards are there already; only what the file says of them is set.
import type { Bond, Host } from "../../model/datacenter.ts";
import type { LinkState } from "../../model/network-state.ts";
import { LAGS_MAX, versionOf } from "../switch-versions.ts";
import { bondOptions } from "./bond-options.ts";
import { newLink } from "./namespace-draft.ts";
import { MTU_DEFAULT, type Wiring } from "./wiring.ts";

export function addHost(name: string, wiring: Wiring): void {
  const host = wiring.resolved.source.hosts.find((one) => one.name === name);
  if (host === undefined) return;
  const draft = wiring.drafts.own();
  const masterOf = mastersOf(host);
  const add = (given: Parameters<typeof newLink>[0]) =>
    draft.links.push(newLink({ ...given, master: masterOf.get(given.name) ?? null }));
  for (const one of host.interfaces) {
    const mtu = mtuOf(host, one.name);
    add({ name: one.name, kind: { kind: "physical" }, alias: null, mtu, mac: one.mac?.value ?? null });
  }
  for (const one of host.bonds) {
    const kind = { kind: "bond", options: bondOptions(one) } as const;
    add({
      name: one.name,
      kind,
      alias: wiring.alias(lagWords(one, host, wiring)),
      mtu: mtuOf(host, one.name),
    });
    for (const { value } of one.links) {
      if (!draft.links.some((link) => link.name === value))
        add({ name: value, kind: { kind: "physical" }, alias: null, mtu: mtuOf(host, one.name) });
    }
  }
  for (const one of host.vlans) {
    const kind: LinkState["kind"] = {
      kind: "vlan",
      link: one.link.value,
      id: one.id.value,
      protocol: one.protocol?.value ?? "802.1Q",
    };
    add({ name: one.name, kind, alias: wiring.alias(one.name), mtu: one.mtu?.value ?? MTU_DEFAULT });
  }
  for (const one of host.bridges) {
    const kind = { kind: "bridge", isVlanAware: false, protocol: "802.1Q" } as const;
    add({ name: one.name, kind, alias: wiring.alias(one.name), mtu: one.mtu?.value ?? MTU_DEFAULT });
  }
  for (const one of [...host.interfaces, ...host.bonds, ...host.vlans, ...host.bridges])
    for (const { value } of one.addresses) draft.address(one.name, value.ip, value.prefix);
  draft.routesBy(
    host.routes.map(({ to, via, span }) => ({ to: to.value, via: via.value, span })),
    [...host.interfaces, ...host.bonds, ...host.vlans, ...host.bridges].map((one) => ({
      link: one.name,
      addresses: one.addresses.map(({ value, span }) => ({
        ...value,
        origin: { kind: "file", text: "", span },
      })),
    })),
  );
  if (host.forwarding?.value === true) draft.sysctl("net/ipv4/ip_forward", 1);
}

/**
 * A bond of LACP under a switch that may have many LAGs is one of them by its name; before, it is the host's.
 */
function lagWords(bond: Bond, host: Host, { resolved, options }: Wiring): string {
  const owner = resolved.source.switches.find(({ uplinks }) =>
    uplinks.some(({ host: place, link }) => place.value === host.name && link.value === bond.name),
  );
  const isLag = owner !== undefined && bond.mode?.value === "802.3ad" && LAGS_MAX[versionOf(owner)] > 1;
  const isConverted = isLag && options.unconvertedLags?.includes(owner.name) !== true;
  return isConverted ? `${bond.name}:lag:${owner.name}` : bond.name;
}

/** Bond or bridge by its port. */
function mastersOf(host: Host): Map<string, string> {
  return new Map([
    ...host.bonds.flatMap((bond) => bond.links.map(({ value }) => [value, bond.name] as const)),
    ...host.bridges.flatMap((bridge) => bridge.ports.map(({ value }) => [value, bridge.name] as const)),
  ]);
}

function mtuOf(host: Host, name: string): number {
  const own = [...host.interfaces, ...host.bonds].find((one) => one.name === name)?.mtu?.value;
  // Members have their bond's.
  const bond = host.bonds.find(({ links }) => links.some(({ value }) => value === name));
  return own ?? bond?.mtu?.value ?? MTU_DEFAULT;
}
