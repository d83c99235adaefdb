// What a box of the drawing is, beside it: how it does, what it counts, its lines of the file, what it is
// connected with, and where to go on.
import type {
  NodeState,
  TopologyAnswer,
  TopologyNode,
  TopologyState,
} from "../../../src/model/dashboard-datacenter.ts";
import { session } from "../api/client.ts";
import { Badge, type Tone } from "../parts/small.tsx";
import { formatBytes, formatBytesRate, formatCount, formatPlace, formatRate } from "../text/format.ts";
import { EdgeRules } from "./edge-rules.tsx";
import type { DrawnNode } from "./grouping.ts";

export const STATE_TONES: Readonly<Record<NodeState["state"], Tone>> = {
  up: "good",
  degraded: "warning",
  down: "bad",
};
const LISTED_MAX = 100;

export function NodePanel({
  node,
  topology,
  state,
  choose,
}: {
  readonly node: TopologyNode;
  readonly topology: TopologyAnswer;
  readonly state: TopologyState | null;
  choose(id: string): void;
}) {
  const { id, name, kind, lines, services, details, span } = node;
  const own = state?.nodes[id] ?? null;
  const isApplied = state?.applied === "yes" || state?.applied === "changed";
  const hasRules = isApplied && (kind === "edge" || kind === "fence");
  return (
    <>
      <h2>
        {name} <span class="quiet small">{kind}</span>
      </h2>
      {own !== null && (
        <p>
          <Badge tone={STATE_TONES[own.state]}>{own.state}</Badge> {own.text}
        </p>
      )}
      <p class="quiet">{lines.join(" · ")}</p>
      <p class="chips">
        {services.map((service) => (
          <Badge key={service} tone="plain">
            {service}
          </Badge>
        ))}
      </p>
      <dl>
        {own?.counters.map(({ label, value, unit, service }) => (
          <div key={`${service} ${label}`}>
            <dt>{service ?? label}</dt>
            <dd>
              {formatCounter(value, unit)} {service !== null && label}
            </dd>
          </div>
        ))}
        {details.map(({ label, value, span: at }) => (
          <div key={`${label}${value}`}>
            <dt>{label}</dt>
            <dd>
              {value} {at !== null && at.line > 0 && <code class="quiet">{formatPlace(at)}</code>}
            </dd>
          </div>
        ))}
        <div>
          <dt>Line</dt>
          <dd>
            <code>{formatPlace(span)}</code>
          </dd>
        </div>
      </dl>
      {hasRules && <EdgeRules key={id} node={node} />}
      <Links node={node} topology={topology} state={state} choose={choose} />
      <Ways node={node} state={own} />
    </>
  );
}

/** "12 connections", "1 lease", "40/s", "1.2 MiB". */
export function formatCounter(value: number, unit: NodeState["counters"][number]["unit"]): string {
  if (unit === "bytes") return formatBytes(value);
  if (unit === "per second") return formatRate(value);
  return `${formatCount(value)} ${value === 1 ? unit.slice(0, -1) : unit}`;
}

function Links({
  node,
  topology,
  state,
  choose,
}: {
  readonly node: TopologyNode;
  readonly topology: TopologyAnswer;
  readonly state: TopologyState | null;
  choose(id: string): void;
}) {
  const links = topology.links.filter(({ from, to }) => from === node.id || to === node.id);
  if (links.length === 0) return null;
  const names = new Map(topology.nodes.map(({ id, name }) => [id, name]));
  return (
    <details open={links.length <= 12}>
      <summary>Connected with {links.length}</summary>
      <ul>
        {links.slice(0, LISTED_MAX).map((link) => {
          const other = link.from === node.id ? link.to : link.from;
          const traffic = state?.links[link.id];
          const rates = [traffic?.sent.bytesPerSecond, traffic?.received.bytesPerSecond];
          return (
            <li key={link.id}>
              <button type="button" class="link" onClick={() => choose(other)}>
                {names.get(other)}
              </button>{" "}
              <span class="quiet small">
                {[
                  link.label,
                  link.carries.length > 0 ? `VLANs ${link.carries.join(", ")}` : "",
                  rates.some((rate) => rate != null)
                    ? `${rates.map((rate) => formatBytesRate(rate ?? 0)).join(" out, ")} in`
                    : "",
                ]
                  .filter((words) => words !== "")
                  .join(" · ")}
              </span>
            </li>
          );
        })}
      </ul>
      {links.length > LISTED_MAX && (
        <p class="quiet">and {links.length - LISTED_MAX} more, which the list has</p>
      )}
    </details>
  );
}

function Ways({ node, state }: { readonly node: TopologyNode; readonly state: NodeState | null }) {
  const { name, kind, reference } = node;
  const hasConsoles = session.value?.features.consoles === true && kind === "machine";
  return (
    <p class="chips">
      {reference !== null && (
        <>
          <a class="button" href={`/explain?from=${encodeURIComponent(reference)}`}>
            Explain from here
          </a>
          <a class="button" href={`/explain?to=${encodeURIComponent(reference)}`}>
            Explain to here
          </a>
        </>
      )}
      {state?.servers.map((server) => (
        <a key={server} class="button" href={`/servers?find=${encodeURIComponent(server)}`}>
          {server}
        </a>
      ))}
      {hasConsoles && (
        <a class="button" href={`/consoles?find=${encodeURIComponent(name)}`}>
          Console
        </a>
      )}
    </p>
  );
}

/** Machines that are drawn as one box. */
export function GroupPanel({
  group,
  open,
  choose,
}: {
  readonly group: DrawnNode;
  open(): void;
  choose(id: string): void;
}) {
  const { title, members, node } = group;
  return (
    <>
      <h2>{node === null ? title : `Its machines: ${members.length}`}</h2>
      <button type="button" onClick={open}>
        Draw them all
      </button>
      <ul>
        {members.slice(0, LISTED_MAX).map(({ id, name, lines }) => (
          <li key={id}>
            <button type="button" class="link" onClick={() => choose(id)}>
              {name}
            </button>{" "}
            <span class="quiet small">{lines[0]}</span>
          </li>
        ))}
      </ul>
      {members.length > LISTED_MAX && (
        <p class="quiet">
          and {members.length - LISTED_MAX} more: the field above finds them, the list has all
        </p>
      )}
    </>
  );
}
