// Ctrl-K: any page and any server by a few letters, without the mouse.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { ServersAnswer } from "../../../src/model/dashboard-api.ts";
import { get, session } from "../api/client.ts";
import { PAGES } from "../pages.ts";
import { go } from "../router.ts";
import { Dialog } from "./dialog.tsx";

export const isPaletteOpen = signal(false);
const SHOWN_MAX = 12;

interface Entry {
  readonly label: string;
  readonly kind: string;
  readonly path: string;
}

export function startPaletteKeys(): void {
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      isPaletteOpen.value = !isPaletteOpen.value;
    }
  });
}

export function Palette() {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const [servers, setServers] = useState<readonly Entry[]>([]);
  useEffect(() => {
    get<ServersAnswer>("/servers").then(
      ({ servers: rows }) =>
        setServers(
          rows.map(({ id }) => ({
            label: id,
            kind: "server",
            path: `/servers?find=${encodeURIComponent(id)}`,
          })),
        ),
      () => {},
    );
  }, []);
  const close = () => {
    isPaletteOpen.value = false;
  };
  const features = session.value?.features ?? { datacenter: false, consoles: false };
  const pages = PAGES.filter((page) => page.isThere(features)).map(
    ({ name, title }): Entry => ({ label: title, kind: "page", path: `/${name}` }),
  );
  const found = [...pages, ...servers]
    .filter(({ label }) => isMatch(label.toLowerCase(), text.toLowerCase()))
    .slice(0, SHOWN_MAX);
  const choose = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    close();
    go(entry.path);
  };
  const handleKey = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setAt((at + step + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") choose(found[at]);
  };
  return (
    <Dialog title="Go to" onClose={close}>
      <input
        class="palette-input"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found.length > 0 ? `palette-${at}` : undefined}
        aria-label="Page or server"
        placeholder="Page or server"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={handleKey}
      />
      <div id="palette-list" class="palette-list" role="listbox" aria-label="Found" tabIndex={-1}>
        {found.map((entry, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field above.
          <div
            key={entry.path}
            id={`palette-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            onClick={() => choose(entry)}
          >
            {entry.label} <span class="quiet">{entry.kind}</span>
          </div>
        ))}
      </div>
    </Dialog>
  );
}

/** All letters, in their order. */
function isMatch(label: string, letters: string): boolean {
  let from = 0;
  for (const letter of letters) {
    from = label.indexOf(letter, from) + 1;
    if (from === 0) return false;
  }
  return true;
}
