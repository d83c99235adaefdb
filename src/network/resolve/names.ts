// Who is meant by a name: networks, edges, machines, clusters and vApps share one space of names, since
// sentences and rules name them without saying what they are.
import type { Span } from "../../diagnostic/span.ts";
import type { Datacenter, Machine, Network, Reference, Vapp, VappCopy } from "../../model/datacenter.ts";
import type { Findings } from "./findings.ts";

export type NamedKind = "network" | "edge" | "machine" | "cluster" | "vapp";

/** A copy of a vApp. One without `copies` has one copy, named like the vApp itself. */
export interface CopyOfVapp {
  readonly vapp: Vapp;
  /** Null when the file lists no copies. */
  readonly source: VappCopy | null;
  /** "shop.test-a", or "shop" when the file lists no copies. */
  readonly name: string;
  readonly span: Span;
}

export interface Names {
  readonly networks: ReadonlyMap<string, Network>;
  /** What has each name; the first when two things share one. */
  readonly kinds: ReadonlyMap<string, { readonly kind: NamedKind; readonly span: Span }>;
  readonly copies: readonly CopyOfVapp[];
  readonly copiesByName: ReadonlyMap<string, CopyOfVapp>;
  /** Names of machines as others see them: "web-001", "shop.test-a/web". */
  readonly machines: ReadonlyMap<string, { readonly machine: Machine; readonly copy: CopyOfVapp | null }>;
}

export function collectNames(datacenter: Datacenter, findings: Findings): Names {
  const kinds = new Map<string, { kind: NamedKind; span: Span }>();
  const add = (kind: NamedKind, name: string, span: Span): void => {
    const first = kinds.get(name);
    if (first === undefined) kinds.set(name, { kind, span });
    else {
      findings.error(
        "name-taken",
        span,
        `\`${name}\` is ${article(first.kind)} already, so it cannot be ${article(kind)}`,
        {
          related: [{ span: first.span, message: `the ${first.kind} is here` }],
        },
      );
    }
  };
  for (const { name, span } of datacenter.networks) add("network", name, span);
  for (const { name, span } of datacenter.edges) add("edge", name, span);
  for (const { name, span } of datacenter.machines) add("machine", name, span);
  for (const { name, span } of datacenter.clusters) add("cluster", name, span);
  for (const { name, span } of datacenter.vapps) add("vapp", name, span);
  const copies = datacenter.vapps.flatMap(copiesOf);
  const machines = new Map<string, { machine: Machine; copy: CopyOfVapp | null }>();
  for (const machine of datacenter.machines) machines.set(machine.name, { machine, copy: null });
  for (const copy of copies) {
    for (const machine of copy.vapp.machines) machines.set(`${copy.name}/${machine.name}`, { machine, copy });
  }
  return {
    networks: new Map(datacenter.networks.map((network) => [network.name, network])),
    kinds,
    copies,
    copiesByName: new Map(copies.map((copy) => [copy.name, copy])),
    machines,
  };
}

function copiesOf(vapp: Vapp): CopyOfVapp[] {
  if (vapp.copies.length === 0) return [{ vapp, source: null, name: vapp.name, span: vapp.span }];
  return vapp.copies.map((source) => ({
    vapp,
    source,
    name: `${vapp.name}.${source.name}`,
    span: source.span,
  }));
}

export function isFenced({ vapp }: CopyOfVapp): boolean {
  return vapp.network.fenced?.value === true;
}

/** The network that machines of a copy are in: its own inside a fence, else the parent. */
export function networkNameInCopy(copy: CopyOfVapp): string {
  return isFenced(copy) ? copy.name : copy.vapp.network.parent.value;
}

/** The full name of the machine that a reference means; null, with a diagnostic, when there is none. */
export function machineOf(reference: Reference, span: Span, names: Names, findings: Findings): string | null {
  if (names.machines.has(reference.text)) return reference.text;
  if (reference.vapp !== null && reference.copy !== null && reference.name === null) {
    const copy = names.copiesByName.get(reference.text);
    if (copy !== undefined) {
      const inside = copy.vapp.machines.map(({ name }) => `${copy.name}/${name}`);
      findings.error("unknown-machine", span, `\`${reference.text}\` is a copy; which of its machines?`, {
        help: inside.length > 0 ? `There are ${inside.join(", ")}.` : null,
      });
      return null;
    }
  }
  findings.unknown("machine", reference.text, span, names.machines.keys());
  return null;
}

function article(kind: NamedKind): string {
  if (kind === "vapp") return "a vApp";
  return kind === "edge" ? "an edge" : `a ${kind}`;
}
