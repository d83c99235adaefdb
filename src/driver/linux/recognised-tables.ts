// The tables of a namespace without listing them: the kernel numbers each change of nftables, so while the
// number is the same they are the same; and when it is not, each is known by its mark or is not known. Who
// cannot enter namespaces, after somebody who could, finds them changed: nothing was listed to compare with.
import { join } from "node:path";
import type { NftTable } from "../../model/network-state.ts";
import type { NamespaceDoor } from "../../transport/namespace-door.ts";
import { NAMESPACE_FOLDER } from "./namespaces.ts";
import { tableMarks } from "./table-marks.ts";

export interface RecognisedTables {
  /** Of the namespace, as `read-inside.ts` has it. */
  readonly signature: string;
  readonly tables: readonly NftTable[];
  /** By "family name". */
  readonly marks: Readonly<Record<string, string>>;
}

/** By namespace. */
export type Recognised = Map<string, RecognisedTables>;

/** Tables that were loaded since they were last read, by "namespace family name". */
export type LoadedTables = Map<string, NftTable>;

export interface Recognition {
  /** Null when a table is not known. */
  readonly tables: readonly NftTable[] | null;
  /** Those of them that are. */
  readonly known: readonly NftTable[];
}

/**
 * What is there, as it was loaded before.
 */
export function recogniseTables(
  door: NamespaceDoor,
  name: string,
  signature: string,
  recognised: Recognised,
  loaded: LoadedTables,
): Recognition {
  const entry = recognised.get(name);
  const isLoaded = [...loaded.keys()].some((key) => key.startsWith(`${name} `));
  // A chain of the family netdev goes with its device, which the kernel does not count: its mark tells.
  const isOnDevices = entry?.tables.some(({ family }) => family === "netdev") ?? false;
  if (entry?.signature === signature && !isLoaded && !isOnDevices)
    return { tables: entry.tables, known: entry.tables };
  const marks = door.within(join(NAMESPACE_FOLDER, name), tableMarks);
  if (marks === null) return { tables: null, known: [] };
  const tables: NftTable[] = [];
  let isWhole = true;
  for (const [key, mark] of marks) {
    const known = entry?.marks[key] === mark ? entry.tables.find((table) => keyOf(table) === key) : undefined;
    const table = loaded.get(`${name} ${key}`) ?? known;
    if (table === undefined) isWhole = false;
    else tables.push(table);
  }
  if (!isWhole) return { tables: null, known: tables };
  recognised.set(name, { signature, tables, marks: Object.fromEntries(marks) });
  for (const key of marks.keys()) loaded.delete(`${name} ${key}`);
  return { tables, known: tables };
}

function keyOf({ family, name }: NftTable): string {
  return `${family} ${name}`;
}
