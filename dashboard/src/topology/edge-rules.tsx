// What the rules of an edge or fence have decided, beside their lines: which one is used, and which never was.
import { useEffect } from "preact/hooks";
import type { EdgeRulesAnswer, TopologyNode } from "../../../src/model/dashboard-datacenter.ts";
import { useLoaded } from "../state/loaded.ts";
import { formatBytes, formatCount, formatPlace } from "../text/format.ts";

const EVERY_MS = 5000;

export function EdgeRules({ node }: { readonly node: TopologyNode }) {
  const { data, again } = useLoaded<EdgeRulesAnswer>(
    `/topology/edges/${encodeURIComponent(node.name)}/rules`,
  );
  useEffect(() => {
    const timer = setInterval(() => document.hidden || again(), EVERY_MS);
    return () => clearInterval(timer);
  }, [again]);
  if (data === null || data.state === "not-applied") return null;
  if (data.state !== "counted")
    return <p class="quiet">{data.state === "changed" ? CHANGED : `Its rules: ${data.text}`}</p>;
  return (
    <details open>
      <summary>Rules and what they have decided</summary>
      <p class="quiet small">First packets of connections, and what was dropped, since they were loaded.</p>
      <table class="rules">
        <thead>
          <tr>
            <th scope="col" class="number">
              Packets
            </th>
            <th scope="col">Rule</th>
          </tr>
        </thead>
        <tbody>
          {data.rules.map(({ table, file, line, text, words, packets, bytes }) => (
            <tr key={`${table} ${file}:${line} ${words}`}>
              <td class="number" title={formatBytes(bytes)}>
                {packets === 0 ? <span class="quiet">0</span> : <strong>{formatCount(packets)}</strong>}
              </td>
              <td>
                <code>{words.startsWith("default") ? words : text.replace(/^- /, "")}</code>
                <div class="quiet small">
                  {table} {formatPlace({ file, line })}
                  {words !== "" && !words.startsWith("default") && `, ${words}`}
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

const CHANGED = "The file has other rules than those that are loaded: apply it to see what they decide.";
