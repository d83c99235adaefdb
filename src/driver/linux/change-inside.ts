// Does the steps of one namespace in it, one message of netlink after the other, without a process. Stops at
// the first that the kernel refuses.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Step } from "../../network/plan/plan.ts";
import type { AskKernel, NamespaceDoor } from "../../transport/namespace-door.ts";
import type { RunOutcome } from "../contract.ts";
import { NAMESPACE_FOLDER } from "./namespaces.ts";
import type { NetlinkRequest } from "./netlink-changes.ts";
import {
  attribute,
  concatenated,
  GET_LINKS,
  LINK_BYTES,
  NETLINK_ROUTE,
  requestFor,
  viewOf,
  zeroEnded,
} from "./netlink-message.ts";

const IFLA_IFNAME = 3;

export interface InsideStep {
  readonly step: Step;
  readonly requests: readonly NetlinkRequest[];
}

/** Settings of the network, in the order given. Null: the namespace cannot be entered. */
export function writeSettings(
  door: NamespaceDoor,
  namespace: string,
  steps: readonly Step[],
): RunOutcome | null {
  return door.within(join(NAMESPACE_FOLDER, namespace), (): RunOutcome => {
    for (const step of steps) {
      if (step.change.kind !== "set-sysctl") continue;
      const { key, value } = step.change.sysctl;
      try {
        writeFileSync(join("/proc/sys", key), value);
      } catch (error) {
        return { ok: false, step, message: (error as Error).message };
      }
    }
    return { ok: true };
  });
}

/** Null: the namespace cannot be entered. */
export function changeInside(
  door: NamespaceDoor,
  namespace: string,
  steps: readonly InsideStep[],
): RunOutcome | null {
  return door.within(join(NAMESPACE_FOLDER, namespace), (ask): RunOutcome => {
    const indexes = new Map<string, number>();
    const indexOf = (link: string) => {
      const index = indexes.get(link) ?? askIndex(ask, link);
      indexes.set(link, index);
      return index;
    };
    for (const { step, requests } of steps) {
      for (const { type, wanted, body } of requests) {
        const answer = ask(NETLINK_ROUTE, type, wanted, body(indexOf));
        if (typeof answer === "number") return { ok: false, step, message: errorMessage(answer) };
      }
      if (step.change.kind === "delete-link") indexes.delete(step.change.link.name);
    }
    return { ok: true };
  });
}

/** Node calls errno 110 -110. */
function errorMessage(errno: number): string {
  return process.getBuiltinModule("node:util").getSystemErrorMessage(-errno);
}

/** 0, which the kernel refuses, for a device that is not there. */
function askIndex(ask: AskKernel, link: string): number {
  const body = concatenated([requestFor(LINK_BYTES), attribute(IFLA_IFNAME, zeroEnded(link))]);
  const answer = ask(NETLINK_ROUTE, GET_LINKS, "one", body);
  return typeof answer === "number" || answer[0] === undefined ? 0 : viewOf(answer[0]).getInt32(4, true);
}
