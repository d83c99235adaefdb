// Cables between two physical switches, with both ends, once each.

import type { Span } from "../../diagnostic/span.ts";
import type { FabricLag, FabricLink, FabricPort, FabricSwitch } from "../../model/datacenter.ts";
import type { CheckContext } from "./context.ts";

export interface FabricEnd {
  readonly fabric: FabricSwitch;
  readonly port: FabricPort;
  readonly lag: FabricLag | null;
  readonly link: FabricLink & { readonly span: Span };
  readonly words: string;
}

export interface FabricCable {
  readonly a: FabricEnd;
  readonly b: FabricEnd;
}

/** Each cable once, whether one end says it or both. Ends that are not in the file are left out. */
export function fabricCables({ datacenter: { fabric } }: CheckContext): FabricCable[] {
  const found = new Map<string, FabricCable>();
  const switches = new Map(fabric.map((one) => [one.name, one]));
  for (const one of fabric) {
    for (const port of one.ports) {
      const [farName = "", farPort = ""] = port.to?.value.split("/", 2) ?? [];
      const far = switches.get(farName);
      const other = far?.ports.find(({ name }) => name === farPort);
      if (far === undefined || other === undefined) continue;
      const [a, b] = [endOf(one, port), endOf(far, other)];
      const key = [a, b]
        .map(({ fabric: { name }, port: { name: number } }) => `${name}/${number}`)
        .sort()
        .join(" ");
      if (!found.has(key)) found.set(key, { a, b });
    }
  }
  return [...found.values()];
}

function endOf(fabric: FabricSwitch, port: FabricPort): FabricEnd {
  const lag = fabric.lags.find(({ name }) => name === port.lag?.value) ?? null;
  const words = lag === null ? `${fabric.name} port ${port.name}` : `${fabric.name} LAG ${lag.name}`;
  return { fabric, port, lag, link: lag ?? port, words };
}

/** One cable for each pair of ends, so that a LAG of eight speaks once. */
export function fabricPairs(context: CheckContext): FabricCable[] {
  return [
    ...new Map(fabricCables(context).map((cable) => [`${cable.a.words} ${cable.b.words}`, cable])).values(),
  ];
}
