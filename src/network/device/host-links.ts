// A Linux host below its virtual switches: which card of a bond a frame takes, which VLAN device it belongs
// to, and the host's own addresses.

import type { Bond } from "../../model/datacenter.ts";
import { changeEthernet, decodeEthernet } from "../../wire/ethernet.ts";
import { transmitHash } from "../bond/transmit-hash.ts";
import { bondHashOf, bondModeOf, type HostSpec } from "../topology/topology.ts";
import type { Device } from "./device.ts";
import { IpStack } from "./ip-stack.ts";
import type { HopNote } from "./recorder.ts";
import type { World } from "./world.ts";

export class HostLinks implements Device {
  readonly name: { readonly kind: "host"; readonly name: string };
  /** What the host does with what is for itself. */
  readonly stack: IpStack | null;
  readonly #spec: HostSpec;
  readonly #world: World;

  constructor(spec: HostSpec, world: World) {
    this.name = { kind: "host", name: spec.name };
    this.#spec = spec;
    this.#world = world;
    this.stack =
      spec.stack === null
        ? null
        : new IpStack(spec.stack, world, (port, frame, hop) => this.#sendFrom(port, frame, hop));
  }

  receive(frame: Uint8Array, port: string, hop: HopNote): void {
    const ofSwitch = this.#spec.switches.find(({ name }) => name === port);
    if (ofSwitch !== undefined) {
      this.#sendFrom(ofSwitch.link, frame, hop);
      return;
    }
    const bond = this.#spec.source.bonds.find(({ links }) => links.some(({ value }) => value === port));
    if (bond === undefined) {
      this.#deliver(port, frame, hop);
      return;
    }
    const fault = this.#spec.bondFaults.get(bond.name);
    if (fault !== undefined) {
      hop.end("link-down", fault.message, fault.span);
      return;
    }
    const only = onlyMember(bond, this.#spec.bondsAlone.has(bond.name));
    if (only !== null && only !== port) {
      hop.step("drop", `${bond.name} has only ${only} in use, and takes nothing from ${port}`, {
        level: "full",
      });
      return;
    }
    hop.step("lag", `${port} is a member of ${bond.name}`, { level: "full", span: bond.span });
    this.#deliver(bond.name, frame, hop);
  }

  /** To everything that uses a link: virtual switches, VLAN devices, bridges, and its own addresses. */
  #deliver(link: string, frame: Uint8Array, hop: HopNote): void {
    for (const { name, link: used } of this.#spec.switches)
      if (used === link) this.#world.send(hop, name, frame);
    const { vlans, bridges } = this.#spec.source;
    const decoded = decodeEthernet(frame);
    const tags = decoded.ok ? decoded.value.tags : [];
    const [tag, ...rest] = tags;
    if (tag !== undefined) {
      const device = vlans.find(
        ({ link: below, id, protocol }) =>
          below.value === link && id.value === tag.id && (protocol?.value ?? "802.1Q") === tag.protocol,
      );
      if (device === undefined) return;
      hop.step("vlan", `${device.name} takes the tag ${tag.id} off`, { level: "full", span: device.span });
      this.#deliver(device.name, changeEthernet(frame, { tags: rest }), hop);
      return;
    }
    for (const bridge of bridges)
      if (bridge.ports.some(({ value }) => value === link)) this.#deliver(bridge.name, frame, hop);
    if (this.stack?.spec.interfaces.some(({ name }) => name === link) === true)
      this.stack.receive(frame, link, hop);
  }

  /** Down from an interface to the card: tags are put on, a member is chosen. */
  #sendFrom(link: string, frame: Uint8Array, hop: HopNote): void {
    const { vlans, bonds, bridges } = this.#spec.source;
    const vlan = vlans.find(({ name }) => name === link);
    if (vlan !== undefined) {
      const decoded = decodeEthernet(frame);
      if (!decoded.ok) return;
      const tag = {
        protocol: vlan.protocol?.value ?? "802.1Q",
        id: vlan.id.value,
        priority: 0,
        isDropEligible: false,
      } as const;
      hop.step("vlan", `${vlan.name} puts the tag ${vlan.id.value} on`, {
        level: "full",
        span: vlan.id.span,
      });
      this.#sendFrom(vlan.link.value, changeEthernet(frame, { tags: [tag, ...decoded.value.tags] }), hop);
      return;
    }
    const bridge = bridges.find(({ name }) => name === link);
    if (bridge !== undefined) {
      for (const { value } of bridge.ports) this.#sendFrom(value, frame, hop);
      return;
    }
    const bond = bonds.find(({ name }) => name === link);
    if (bond === undefined) {
      this.#world.send(hop, link, frame);
      return;
    }
    const fault = this.#spec.bondFaults.get(bond.name);
    if (fault !== undefined) {
      hop.end("link-down", fault.message, fault.span);
      return;
    }
    const isAlone = this.#spec.bondsAlone.has(bond.name);
    for (const member of membersFor(bond, isAlone, frame, hop)) this.#world.send(hop, member, frame);
  }
}

/** The one card that a bond uses, and hears on; null: all of them. */
function onlyMember(bond: Bond, isAlone: boolean): string | null {
  const links = bond.links.map(({ value }) => value);
  if (bondModeOf(bond) === "active-backup")
    return links.find((link) => link === bond.primary?.value) ?? links[0] ?? null;
  return isAlone ? (links[0] ?? null) : null;
}

/** The cards that a frame takes: one, or all in mode broadcast. */
function membersFor(bond: Bond, isAlone: boolean, frame: Uint8Array, hop: HopNote): readonly string[] {
  const links = bond.links.map(({ value }) => value);
  const [first] = links;
  if (first === undefined) return [];
  const mode = bondModeOf(bond);
  const span = bond.hash?.span ?? bond.mode?.span ?? bond.span;
  const say = (member: string, why: string) =>
    hop.step("lag", `${bond.name} takes ${member}: ${why}`, {
      span,
      facts: { bond: bond.name, member, mode },
    });
  if (isAlone) {
    say(first, "nobody at the other end speaks LACP, so it keeps one card in use");
    return [first];
  }
  switch (mode) {
    case "broadcast":
      hop.step("lag", `${bond.name} sends it on all of ${links.join(", ")}: mode broadcast`, { span });
      return links;
    case "active-backup": {
      const active = onlyMember(bond, false) ?? first;
      say(active, "it is the active one of mode active-backup");
      return [active];
    }
    case "balance-rr":
      say(first, "mode balance-rr takes the cards in turn, this is the first frame");
      return [first];
    case "balance-tlb":
    case "balance-alb":
      say(first, `mode ${mode} takes the card with the least load, and all are idle`);
      return [first];
    case "balance-xor":
    case "802.3ad": {
      const policy = bondHashOf(bond);
      const { value, fields } = transmitHash(policy, frame);
      const member = links[value % links.length]!;
      say(
        member,
        `hash ${policy} over ${fields} is ${value}, modulo ${links.length} it is ${value % links.length}`,
      );
      return [member];
    }
  }
}
