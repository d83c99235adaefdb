// How frames for a cluster's group address come to a member: in IGMP mode it says so to the switches, by
// reports that the kernel sends (IGMP, RFC 3376; of IPv6 MLD, RFC 3810); in multicast mode its card is told,
// as some look at the address.
import type { Socket } from "node:dgram";
import { bytesOfIp, familyOfIp, type Ip, ipOfBytes } from "../../base/ip.ts";
import { runCommand } from "../../driver/linux/command.ts";
import type { MemberSettings } from "../../network/cluster/member-settings.ts";

/** Null, or what does not work. */
export async function joinGroup(settings: MemberSettings, socket: Socket): Promise<string | null> {
  const { mode, mac, device, ownAddress, shared } = settings;
  if (mode === "unicast") return null;
  if (mode === "multicast") {
    const { status, errors } = await runCommand(["ip", "maddress", "add", mac, "dev", device]);
    return status === 0 || /File exists/.test(errors) ? null : errors.trim();
  }
  const group = groupOf(shared.cluster);
  const at = familyOfIp(shared.cluster) === 4 ? (ownAddress ?? undefined) : `::%${device}`;
  try {
    // That of a device that was made anew.
    socket.dropMembership(group, at);
  } catch {
    // The first time there is none.
  }
  try {
    socket.addMembership(group, at);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * The group whose frames have the cluster's MAC: 01:00:5e and the low 23 bits of the group (RFC 1112, 6.4),
 * or 33:33 and the low 32 bits (RFC 2464, 7). That of IPv6 is one of the link that nobody has assigned
 * (ff12).
 */
function groupOf(cluster: Ip): string {
  const bytes = bytesOfIp(cluster);
  if (bytes.length === 4) return `239.255.${bytes[2]}.${bytes[3]}`;
  return ipOfBytes(Uint8Array.of(0xff, 0x12, ...new Uint8Array(10), ...bytes.slice(-4)));
}
