// A virtual machine: QEMU in the machine's namespace, each card a TAP that a bridge there joins with the
// cable to the switch. Addresses are the guest's own affair; what the namespace has is transparent.
import type { MachineKind } from "../../model/datacenter.ts";
import type { ResolvedMachine } from "../../model/resolved-datacenter.ts";
import { maskTable } from "./cluster-member-state.ts";
import type { DesiredOptions } from "./desired-state.ts";
import { linkName, safeName } from "./kernel-names.ts";
import { clusterOf, deviceOf, macOf } from "./machine-state.ts";
import { newLink } from "./namespace-draft.ts";
import type { Wiring } from "./wiring.ts";

type VirtualMachine = Extract<MachineKind, { readonly kind: "qemu" }>;

const MEMORY_DEFAULT = 256 * 1024 * 1024;
const MIB = 1024 * 1024;
const MTU_OF_GUESTS = 1500;

/**
 * Called with its directory, a tool and the disk's image and copy ("-" for the tool: no disk), and QEMU's own
 * words. Sockets have short names there, for a path in one is 107 bytes long at most (unix(7)).
 */
const START = `#!/bin/sh
directory=$1 tool=$2 image=$3 copy=$4
shift 4
umask 077
cd "$directory" || exit 1
rm -f vnc serial monitor
if [ "$tool" != - ] && [ ! -f "$copy" ]; then
  mkdir -p "$(dirname "$copy")" || exit 1
  format=$("$tool" info -U "$image" | sed -n 's/^file format: //p' | head -n 1)
  "$tool" create -q -f qcow2 -b "$image" -F "$format" "$copy.new" && mv "$copy.new" "$copy" || exit 1
fi
exec "$@"
`;

/** The sockets of a virtual machine's consoles, below the directory of its program. */
export const CONSOLE_SOCKETS = { vnc: "vnc", serial: "serial" } as const;

/** The name of its program, and of that one's directory. */
export function programOf(machine: string): string {
  return safeName(`machine-${machine}`);
}

export function addVirtualMachine(
  machine: ResolvedMachine,
  kind: VirtualMachine,
  wiring: Wiring,
  options: DesiredOptions,
): void {
  const { drafts } = wiring;
  const draft = drafts.namespace(machine.name, `machine ${machine.name}`);
  draft.sysctl("net/ipv6/conf/all/disable_ipv6", 1);
  draft.sysctl("net/ipv6/conf/default/disable_ipv6", 1);
  const cards: string[] = [];
  for (const one of machine.interfaces) {
    const device = deviceOf(one);
    const mtu = wiring.mtuOf(one.network);
    const mac = macOf(one, machine, wiring);
    const bridge = linkName("b", device);
    const tap = linkName("t", device);
    const alias = wiring.alias(`${machine.name}/${one.name}`);
    const port = { isLearning: true, vlans: [] };
    draft.links.push(
      newLink({
        name: bridge,
        kind: { kind: "bridge", isVlanAware: false, protocol: "802.1Q" },
        alias,
        mtu,
      }),
    );
    wiring.connect(draft, device, machine.name, one.name, one.network, { mac, machine, bridge });
    const cluster = clusterOf(machine, wiring);
    // Its card has the shared MAC: until an agent runs in it no switch may learn where that is.
    if (cluster?.network === one.network && cluster.mode === "unicast")
      draft.tables.push(maskTable(cluster, machine.name, device, one.mac));
    draft.links.push(newLink({ name: tap, kind: { kind: "tap" }, alias, mtu, master: bridge, port }));
    const id = `card${cards.length}`;
    const guestMtu = mtu === MTU_OF_GUESTS ? "" : `,host_mtu=${mtu}`;
    cards.push("-netdev", `tap,id=${id},ifname=${tap},script=no,downscript=no`);
    cards.push("-device", `virtio-net-pci,netdev=${id},mac=${mac}${guestMtu}`);
  }
  if (draft.name === null) return;
  const image = kind.image === null ? null : options.absolutePath(kind.image.value, kind.image.span.file);
  const copy = `${options.dataDirectory}/${safeName(machine.name)}.qcow2`;
  drafts.processes.push({
    name: programOf(machine.name),
    words: `the virtual machine ${machine.name}`,
    namespace: draft.name,
    command: [
      ...["/bin/sh", "{directory}/start", "{directory}"],
      ...(image === null ? ["-", "-", "-"] : ["qemu-img", image, copy]),
      ...["qemu-system-x86_64", "-name", machine.name.replaceAll(",", ",,")],
      ...["-nodefaults", "-no-user-config", "-machine", "q35", "-cpu", "max"],
      // What the processor does not offer is done in software: slowly, but the same.
      ...(kind.kvm?.value === false ? [] : ["-accel", "kvm"]),
      ...["-accel", "tcg"],
      ...["-m", `${Math.ceil((kind.memoryBytes?.value ?? MEMORY_DEFAULT) / MIB)}`],
      ...["-smp", `${kind.cpus?.value ?? 1}`],
      ...["-vga", "std", "-display", "none", "-vnc", `unix:${CONSOLE_SOCKETS.vnc}`],
      ...["-chardev", `socket,id=serial,path=${CONSOLE_SOCKETS.serial},server=on,wait=off`],
      ...["-serial", "chardev:serial", "-qmp", "unix:monitor,server=on,wait=off"],
      ...(image === null ? [] : ["-drive", `if=virtio,format=qcow2,file=${copy.replaceAll(",", ",,")}`]),
      ...cards,
    ],
    workingDirectory: null,
    isIsolated: true,
    files: [{ name: "start", text: START }],
    reload: null,
  });
}
