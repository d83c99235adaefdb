// For tests: what Linux must have for a datacentre file, on a machine without VLAN devices.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { readDatacenter } from "../../../src/language/datacenter/reader.ts";
import { type Desired, desiredState } from "../../../src/network/plan/desired-state.ts";
import { resolveDatacenter } from "../../../src/network/resolve/resolve.ts";

/** `text` instead of what the file says, when it is given. */
export function desiredOf(file: string, text: string = readFileSync(file, "utf8")): Desired {
  const environment = { variables: {}, readFile: () => null, listFiles: () => [] };
  const { datacenter } = readDatacenter([{ name: file, text }], environment);
  return desiredState(resolveDatacenter(datacenter!).resolved, {
    host: null,
    isVlanAware: false,
    hasVlanDevices: false,
    loadBalancers: new Map(),
    program: ["sallyport"],
    dataDirectory: "/nonexistent",
    absolutePath: (path) => resolve(path),
  });
}
