// For tests: reads an applied datacentre by netlink and by processes, and says where the two differ; of
// tables, whose text only one of them has, whether netlink takes them for what was loaded.
import process from "node:process";
import { DiskStore } from "../../../src/driver/linux/disk-store.ts";
import { LinuxDriver } from "../../../src/driver/linux/linux-driver.ts";
import { openNamespaceDoor } from "../../../src/io/namespace-door.ts";

const [datacenter = ""] = process.argv.slice(2);
const store = new DiskStore(datacenter);
const { state } = store.readApplied()!;
const [quick, slow] = await Promise.all(
  [openNamespaceDoor(), null].map((door) => new LinuxDriver(datacenter, store.directory, door).read(state)),
);
if (!quick!.ok || !slow!.ok) throw new Error(JSON.stringify([quick, slow]));
let differences = 0;
for (const [index, one] of slow!.state.namespaces.entries()) {
  const other = quick!.state.namespaces[index]!;
  for (const part of ["name", "links", "addresses", "routes", "rules", "sysctls"] as const) {
    const [wanted, got] = [JSON.stringify(one[part]), JSON.stringify(other[part])];
    if (wanted === got) continue;
    differences++;
    console.log(`${one.name} ${part}:\n  ${wanted}\n  ${got}`);
  }
  const loaded = state.namespaces.find(({ name }) => name === one.name)?.tables ?? [];
  const hashes = (tables: typeof loaded) =>
    tables.map(({ family, name, hash }) => `${family} ${name} ${hash}`);
  if (hashes(loaded).sort().join() === hashes(other.tables).sort().join()) continue;
  differences++;
  console.log(`${one.name}: ${hashes(other.tables).join(", ")}`);
}
console.log(`${slow!.state.namespaces.length} namespaces, ${differences} differences`);
