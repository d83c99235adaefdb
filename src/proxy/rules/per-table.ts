// What a rule needs of each table that it meets, made when it meets it. Most meet one.
import type { StickTable } from "../stick-table/stick-table.ts";

export function perTable<T>(make: (table: StickTable) => T): (table: StickTable) => T {
  const made: Map<StickTable, T> = new Map();
  return (table) => {
    const known = made.get(table);
    if (known !== undefined) return known;
    const value = make(table);
    made.set(table, value);
    return value;
  };
}
