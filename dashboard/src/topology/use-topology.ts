// The datacentre and what is alive of it: asked anew when its file changes, its state every few seconds.
import { useEffect, useMemo } from "preact/hooks";
import type { TopologyAnswer, TopologyState } from "../../../src/model/dashboard-datacenter.ts";
import { on } from "../api/events.ts";
import { type Loaded, useLoaded } from "../state/loaded.ts";
import { type Drawn, drawnOf } from "./grouping.ts";

const STATE_EVERY_MS = 3000;

/**
 * `opened`: networks whose machines are all drawn. `wanted`: ids of those that are drawn by themselves, also
 * where others are only counted.
 */
export function useTopology(
  opened: ReadonlySet<string>,
  wanted: readonly string[],
): {
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
  const whole = useMemo(() => (data === null ? null : drawnOf(data, opened)), [data, opened]);
  // Whoever is drawn anyway is no reason to lay everything out anew.
  const hidden = wanted.filter((id) => (whole?.drawnBy.get(id) ?? id) !== id).join("\n");
  const drawn = useMemo(
    () => (data === null || hidden === "" ? whole : drawnOf(data, opened, new Set(hidden.split("\n")))),
    [data, opened, whole, hidden],
  );
  return { topology, state: state.data, drawn };
}
