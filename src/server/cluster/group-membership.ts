// How frames for a cluster's group address come to a member: in IGMP mode it says so to the switches, by
// reports that the kernel sends (RFC 3376); in multicast mode its card is told, as some look at the address.
import type { Socket } from "node:dgram";
import { bytesOfIp } from "../../base/ip.ts";
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
  // The group whose frames have the cluster's MAC: 01:00:5e and the low 23 bits of the group (RFC 1112, 6.4).
  const [, , third, fourth] = bytesOfIp(shared.cluster);
  const group = `239.255.${third}.${fourth}`;
  try {
    // That of a device that was made anew.
    socket.dropMembership(group, ownAddress ?? undefined);
  } catch {
    // The first time there is none.
  }
  try {
    socket.addMembership(group, ownAddress ?? undefined);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
