// The consoles of virtual machines that `apply` starts: unix sockets in the directories of their programs,
// which nobody has to name. A network of one's own has a /run of its own, seen through the process that
// keeps it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { stateRoot } from "../../driver/linux/disk-store.ts";
import { isInsideRootless, rootOfRootless } from "../../driver/linux/rootless.ts";
import type { ResolvedDatacenter } from "../../model/resolved-datacenter.ts";
import { safeName } from "../../network/plan/kernel-names.ts";
import { CONSOLE_SOCKETS, programOf } from "../../network/plan/virtual-machine.ts";
import type { ConsolesOfMachine } from "../console/console-server.ts";

/** By machine. Where a socket is, is found out at each connection: the machine may be started at any time. */
export function virtualConsoles({ source, machines }: ResolvedDatacenter): Map<string, ConsolesOfMachine> {
  const consoleOf = (machine: string, socket: string) => ({
    address: { kind: "program", find: () => findSocket(source.name.value, machine, socket) } as const,
    fingerprint: null,
    passwordFile: null,
  });
  return new Map(
    machines
      .filter((machine) => machine.source.kind.kind === "qemu")
      .map(({ name }) => [
        name,
        { vnc: consoleOf(name, CONSOLE_SOCKETS.vnc), serial: consoleOf(name, CONSOLE_SOCKETS.serial) },
      ]),
  );
}

function findSocket(datacenter: string, machine: string, socket: string): string {
  const below = join(safeName(datacenter), "programs", programOf(machine), socket);
  const own = join(stateRoot(), below);
  const root = isInsideRootless() || existsSync(own) ? null : rootOfRootless();
  return root === null ? own : join(root, "run/sallyport", below);
}
