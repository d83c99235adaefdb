// Finds a node by a part of its name or address: a list of hits below the field, by the keyboard too.
import { useMemo, useState } from "preact/hooks";
import type { TopologyNode } from "../../../src/model/dashboard-datacenter.ts";
import { findNodes } from "./find-nodes.ts";

const SHOWN_MAX = 12;

export function FindField({
  nodes,
  choose,
}: {
  readonly nodes: readonly TopologyNode[];
  choose(node: TopologyNode): void;
}) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const { hits, count } = useMemo(() => findNodes(nodes, text, SHOWN_MAX), [nodes, text]);
  const take = (node: TopologyNode | undefined) => {
    if (node === undefined) return;
    setText(node.name);
    setOpen(false);
    choose(node);
  };
  const handleKey = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      setOpen(true);
      setAt((at + step + hits.length) % Math.max(1, hits.length));
    } else if (event.key === "Enter") take(hits[at]);
    else if (event.key === "Escape") setOpen(false);
    else return;
    event.preventDefault();
  };
  const isShown = isOpen && text.trim() !== "";
  return (
    <div class="find-field">
      <input
        role="combobox"
        aria-expanded={isShown}
        aria-controls="find-hits"
        aria-activedescendant={isShown && hits.length > 0 ? `find-hit-${at}` : undefined}
        aria-label="Find by name or address"
        placeholder="Find by name or address"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
          setOpen(true);
        }}
        onKeyDown={handleKey}
        onBlur={() => setOpen(false)}
      />
      <div class="find-hits" hidden={!isShown}>
        <div id="find-hits" role="listbox" aria-label="Found" tabIndex={-1}>
          {hits.map((node, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field above.
            <div
              key={node.id}
              id={`find-hit-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === at}
              // Before the field loses the keyboard, by which the list would go.
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => take(node)}
            >
              {node.name} <span class="quiet small">{[node.kind, node.lines[0] ?? ""].join(" ")}</span>
            </div>
          ))}
        </div>
        <p class="quiet small" role="status">
          {count === 0
            ? "None has it."
            : count > hits.length
              ? `${hits.length} of ${count}; more letters find fewer`
              : ""}
        </p>
      </div>
    </div>
  );
}
