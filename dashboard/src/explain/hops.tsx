// A packet's way step by step: each hop with what decided there, and the line of the file that did.
import { useState } from "preact/hooks";
import { topologyIdOf } from "../../../src/model/dashboard-datacenter.ts";
import { formatPlace } from "../text/format.ts";
import { hopsToEnd, type PathJson } from "../topology/trace-way.ts";

export function Hops({
  path,
  first,
  mark,
}: {
  readonly path: PathJson;
  /** Number of its first hop, as the drawing counts them. */
  readonly first: number;
  /** The node that is pointed at, by its id of the topology. */
  mark(id: string | null): void;
}) {
  const [isFull, setFull] = useState(false);
  return (
    <>
      <ol class="hops" start={first}>
        {hopsToEnd(path).map((index) => {
          const { node, steps } = path.hops[index]!;
          const id = topologyIdOf(node.kind, node.name);
          const shown = steps.filter(({ level }) => isFull || level !== "full");
          return (
            <li key={index} class="hop" onPointerEnter={() => mark(id)} onPointerLeave={() => mark(null)}>
              <button type="button" class="link" onFocus={() => mark(id)} onBlur={() => mark(null)}>
                {node.name}
              </button>{" "}
              <span class="quiet small">{node.kind}</span>
              <ul>
                {shown.map((step, at) => (
                  <li key={`${at}${step.text}`} class={step.kind === "drop" ? "bad-text" : undefined}>
                    {step.text}{" "}
                    {step.span !== null && step.span.line > 0 && (
                      <code class="quiet" title={step.span.file}>
                        {formatPlace(step.span)}
                      </code>
                    )}
                  </li>
                ))}
              </ul>
            </li>
          );
        })}
      </ol>
      <p>
        {path.summary}{" "}
        {path.span !== null && path.span.line > 0 && <code class="quiet">{formatPlace(path.span)}</code>}
      </p>
      <button type="button" aria-pressed={isFull} onClick={() => setFull(!isFull)}>
        {isFull ? "Only what matters" : "Every step"}
      </button>
    </>
  );
}
