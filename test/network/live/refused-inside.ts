// For tests: applies a file while the kernel refuses one message of netlink, the one of that number among
// those that change something, and says what became of it.
import process from "node:process";
import { apply } from "../../../src/driver/apply.ts";
import { DiskStore } from "../../../src/driver/linux/disk-store.ts";
import { LinuxDriver } from "../../../src/driver/linux/linux-driver.ts";
import { openNamespaceDoor } from "../../../src/io/namespace-door.ts";
import type { AskKernel, NamespaceDoor } from "../../../src/transport/namespace-door.ts";
import { desiredOf } from "./state-of.ts";

const EPERM = 1;
const [file = "", refused = ""] = process.argv.slice(2);
const door = openNamespaceDoor()!;
let count = 0;

const refusing =
  (ask: AskKernel): AskKernel =>
  (protocol, type, wanted, body) => {
    const isChange = wanted !== "everything" && wanted !== "one";
    return isChange && count++ === Number(refused) ? EPERM : ask(protocol, type, wanted, body);
  };
const wrapped: NamespaceDoor = {
  within: (path, work) => door.within(path, (ask) => work(refusing(ask))),
  withinNew: (work) => door.withinNew(work),
};

const { state } = desiredOf(file);
const store = new DiskStore("broken");
const driver = new LinuxDriver("broken", store.directory, wrapped);
const outcome = await apply({ desired: state, file }, driver, store, { phase() {}, steps() {} });
console.log(
  outcome.kind === "failed"
    ? `${outcome.message}; ${outcome.undone.isComplete ? "undone" : outcome.undone.message}`
    : outcome.kind,
);
