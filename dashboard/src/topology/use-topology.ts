// The datacentre and what is alive of it: asked anew when its file changes, its state every few seconds.
import { useEffect, useMemo } from "preact/hooks";
import type { TopologyAnswer, TopologyState } from "../../../src/model/dashboard-datacenter.ts";
import { on } from "../api/events.ts";
import { type Loaded, useLoaded } from "../state/loaded.ts";
import { type Drawn, drawnOf } from "./grouping.ts";

const STATE_EVERY_MS = 4000;

export function useTopology(opened: ReadonlySet<string>): {
  readonly topology: Loaded<TopologyAnswer>;
  readonly state: TopologyState | null;
  readonly drawn: Drawn | null;
} {
  const topology = useLoaded<TopologyAnswer>("/topology");
  const state = useLoaded<TopologyState>(topology.data === null ? null : "/topology/state");
  useEffect(() => on("datacenter", topology.again), [topology.again]);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || state.again(), STATE_EVERY_MS);
    return () => clearInterval(timer);
  }, [state.again]);
  const { data } = topology;
  const drawn = useMemo(() => (data === null ? null : drawnOf(data, opened)), [data, opened]);
  return { topology, state: state.data, drawn };
}
