// All VLANs of the datacentre: pointed at, theirs stands out; pressed, it stays so. And what the lines say.
import { useState } from "preact/hooks";
import type { TopologyAnswer } from "../../../src/model/dashboard-datacenter.ts";
import { vlanClass } from "./colours.ts";
import { busyWords, type Measure } from "./link-words.ts";

type Vlan = TopologyAnswer["vlans"][number];

/** With more there is a field to find one. */
const SEARCHED_FROM = 10;

export function Legend({
  vlans,
  isolated,
  isolate,
  hint,
  measure,
  isOpenAtFirst,
}: {
  readonly vlans: readonly Vlan[];
  readonly isolated: number | null;
  isolate(vlan: number | null): void;
  /** Pointed at; null: no longer. */
  hint(vlan: number | null): void;
  /** Null: nothing is counted. */
  readonly measure: Measure | null;
  readonly isOpenAtFirst: boolean;
}) {
  const [text, setText] = useState("");
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  if (vlans.length === 0 && measure === null) return null;
  const shown = vlans.filter((vlan) => isMatch(vlan, text));
  const chosen = vlans.find(({ vlan }) => vlan === isolated);
  return (
    <details class="map-legend" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {vlans.length === 0 ? "Lines" : `VLANs: ${vlans.length}`}
        {chosen !== undefined && <b> only {chosen.label}</b>}
      </summary>
      {vlans.length > SEARCHED_FROM && (
        <input
          type="search"
          aria-label="Find a VLAN"
          placeholder="Number or network"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      )}
      {vlans.length > 0 && (
        <ul aria-label="VLANs" onPointerLeave={() => hint(null)}>
          {shown.map(({ vlan, label, networks }) => (
            <li key={vlan} class={vlanClass(vlan, vlans)}>
              <button
                type="button"
                aria-pressed={vlan === isolated}
                title={networks.join(", ")}
                onClick={() => {
                  const isOver = vlan === isolated;
                  isolate(isOver ? null : vlan);
                  // The pointer is still there; all of it is what one wants to see now.
                  if (isOver) hint(null);
                }}
                onPointerEnter={() => hint(vlan)}
                onFocus={() => hint(vlan)}
                onBlur={() => hint(null)}
              >
                {label} <span class="quiet">{networks[0]}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {shown.length === 0 && vlans.length > 0 && <p class="quiet">None has “{text}”.</p>}
      {measure !== null && (
        <p class="map-traffic">
          {busyWords(measure).map((words, index) => (
            <span key={words} class={`busy-${index + 1}`}>
              {words}
            </span>
          ))}
          <span class="quiet">both ways together</span>
        </p>
      )}
    </details>
  );
}

function isMatch({ label, networks }: Vlan, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  return label.toLowerCase().includes(wanted) || networks.some((name) => name.toLowerCase().includes(wanted));
}
