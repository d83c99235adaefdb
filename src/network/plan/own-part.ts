// What of a present state is ours. In namespaces of our own that is everything; of the namespace that the
// machine itself lives in, only devices with our alias, tables with our name, and what we have put on network
// cards. Foreign things are never seen by the plan, so it cannot touch them.
import type { NamespaceState, NftTable } from "../../model/network-state.ts";

/** `mine`: of this namespace, what was applied, what shall be, or both. */
export function ownPart(
  present: NamespaceState,
  mine: readonly NamespaceState[],
  alias: string,
): NamespaceState {
  const knownKeys = <T>(list: (one: NamespaceState) => readonly T[], keyOf: (item: T) => string) =>
    new Set(mine.flatMap((one) => list(one).map(keyOf)));
  const sysctls = knownKeys(
    (one) => one.sysctls,
    ({ key }) => key,
  );
  const tables = knownKeys((one) => one.tables, tableKey);
  const own = {
    ...present,
    sysctls: present.sysctls.filter(({ key }) => sysctls.has(key)),
    tables: present.tables.filter((table) => tables.has(tableKey(table)) || present.name !== null),
  };
  if (present.name !== null) return own;
  const cards = knownKeys(
    (one) => one.links.filter(({ kind }) => kind.kind === "physical"),
    ({ name }) => name,
  );
  const devices = new Set(
    present.links.filter((link) => link.alias?.startsWith(alias) === true).map(({ name }) => name),
  );
  const addresses = knownKeys((one) => one.addresses, addressKey);
  const routes = knownKeys(
    (one) => one.routes,
    (route) => JSON.stringify(route),
  );
  const rules = knownKeys(
    (one) => one.rules,
    (rule) => JSON.stringify(rule),
  );
  return {
    ...own,
    links: own.links
      .filter(({ name }) => devices.has(name) || cards.has(name))
      .map((link) => (devices.has(link.name) ? link : { ...link, kind: { kind: "physical" } as const })),
    addresses: own.addresses.filter((one) => devices.has(one.link) || addresses.has(addressKey(one))),
    routes: own.routes.filter((one) => devices.has(one.link) || routes.has(JSON.stringify(one))),
    rules: own.rules.filter((one) => rules.has(JSON.stringify(one))),
  };
}

function tableKey({ family, name }: NftTable): string {
  return `${family} ${name}`;
}

function addressKey({ link, ip, prefix }: NamespaceState["addresses"][number]): string {
  return `${link} ${ip}/${prefix}`;
}
