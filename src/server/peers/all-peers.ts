// The `peers` sections of what serves. A section whose lines and tables stay the same keeps its connections
// through a reload.
import type { PeersSection, StickTableDefinition } from "../../model/stick-table.ts";
import type { StickTable } from "../../proxy/stick-table/stick-table.ts";
import { PeerLinks } from "./peer-links.ts";

export class AllPeers {
  readonly #report: (text: string) => void;
  #links: Map<string, PeerLinks> = new Map();

  constructor(report: (text: string) => void) {
    this.#report = report;
  }

  follow(sections: readonly PeersSection[], tables: ReadonlyMap<string, StickTable>): void {
    const before = this.#links;
    this.#links = new Map();
    const wanted = sections.flatMap((section) => {
      const own = [...tables.values()].filter(({ definition }) => definition.peers === section.name);
      const others = section.peers.some(({ name }) => name !== section.localName);
      if (section.isDisabled || !others || own.length === 0) return [];
      return [
        {
          section,
          own,
          key: keyOf(
            section,
            own.map(({ definition }) => definition),
          ),
        },
      ];
    });
    // Those that go give their addresses back before others come.
    const keys = new Set(wanted.map(({ key }) => key));
    for (const [key, links] of before) if (!keys.has(key)) links.close();
    for (const { section, own, key } of wanted)
      this.#links.set(key, before.get(key) ?? new PeerLinks(section, own, this.#report));
  }

  close(): void {
    for (const links of this.#links.values()) links.close();
    this.#links.clear();
  }
}

/** What they say, wherever it stands. */
function keyOf(section: PeersSection, tables: readonly StickTableDefinition[]): string {
  return JSON.stringify([section, tables], (name, value: unknown) => (name === "span" ? null : value));
}
