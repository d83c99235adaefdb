// A network that is only remembered: it takes and refuses steps as a kernel does, and fails at any step that
// a test names. For tests of plans and of what happens when they fail.
import type {
  LinkState,
  NamespaceName,
  NamespaceState,
  NetworkState,
  ProcessState,
} from "../../model/network-state.ts";
import type { Change, Step } from "../../network/plan/plan.ts";
import type { Driver, Lack, ReadOutcome, RunOutcome } from "../contract.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };
type Space = Mutable<NamespaceState>;

export class MemoryDriver implements Driver {
  readonly #spaces = new Map<NamespaceName, Space>();
  readonly #processes = new Map<string, ProcessState>();
  /** Steps to let pass before one is refused; null: none is. */
  failAfter: number | null = null;
  /** After the refused step all others are refused too, as when the process is killed. */
  isDead = false;

  constructor(present: NetworkState = { namespaces: [], processes: [] }) {
    for (const one of present.namespaces) this.#spaces.set(one.name, copyOf(one));
    for (const one of present.processes) this.#processes.set(one.name, one);
  }

  async preflight(): Promise<readonly Lack[]> {
    return [];
  }

  /** Like a kernel's: only what may be ours is looked at. */
  async read(known: NetworkState): Promise<ReadOutcome> {
    const names = new Set(known.namespaces.map(({ name }) => name));
    const programs = new Set(known.processes.map(({ name }) => name));
    const { namespaces, processes } = this.everything();
    const state = {
      namespaces: namespaces.filter(({ name }) => names.has(name)),
      processes: processes.filter(({ name }) => programs.has(name)),
    };
    return { ok: true, state };
  }

  /** Foreign things too. */
  everything(): NetworkState {
    return { namespaces: [...this.#spaces.values()].map(copyOf), processes: [...this.#processes.values()] };
  }

  async run(steps: readonly Step[], progress: (done: number) => void): Promise<RunOutcome> {
    for (const [index, step] of steps.entries()) {
      const message = this.isDead ? "killed" : (this.#failure() ?? this.#do(step.change));
      if (message !== null) return { ok: false, step, message };
      progress(index + 1);
    }
    return { ok: true };
  }

  #failure(): string | null {
    if (this.failAfter === null) return null;
    if (this.failAfter > 0) {
      this.failAfter--;
      return null;
    }
    this.failAfter = null;
    return "refused by the test";
  }

  /** Null, or why it is refused. */
  #do(change: Change): string | null {
    if ("process" in change) return this.#doProcess(change);
    if (change.kind === "add-namespace") return this.#addNamespace(change.namespace, change.words);
    const space = this.#spaces.get(change.namespace) ?? this.#own(change.namespace);
    if (space === null) return `there is no namespace ${change.namespace}`;
    switch (change.kind) {
      case "delete-namespace":
        for (const link of space.links) this.#removePeer(link);
        this.#spaces.delete(change.namespace);
        return null;
      case "add-link":
        return this.#addLink(space, change.link);
      case "delete-link":
        return this.#deleteLink(space, change.link.name);
      case "set-link":
        return this.#setLink(space, change.link);
      case "await-bond":
      case "hold-port":
      case "swap-ports":
        return null;
      case "add-address":
        if (!space.links.some(({ name }) => name === change.address.link)) return "no such device";
        space.addresses.push(change.address);
        return null;
      case "delete-address":
        return removeFrom(space.addresses, change.address);
      case "add-route": {
        const { to, table } = change.route;
        if (!space.links.some(({ name, isUp }) => name === change.route.link && isUp))
          return "device is down";
        space.routes = space.routes.filter((one) => one.table !== table || !isEqual(one.to, to));
        space.routes.push(change.route);
        return null;
      }
      case "delete-route":
        return removeFrom(space.routes, change.route);
      case "add-rule":
        space.rules.push(change.rule);
        return null;
      case "delete-rule":
        return removeFrom(space.rules, change.rule);
      case "set-sysctl":
        space.sysctls = space.sysctls.filter(({ key }) => key !== change.sysctl.key);
        space.sysctls.push(change.sysctl);
        return null;
      case "put-table":
      case "delete-table": {
        const { family, name } = change.table;
        space.tables = space.tables.filter((one) => one.family !== family || one.name !== name);
        if (change.kind === "put-table") space.tables.push(change.table);
        return null;
      }
    }
  }

  #own(name: NamespaceName): Space | null {
    if (name !== null) return null;
    const space = copyOf({ ...EMPTY, name, words: "this machine" });
    this.#spaces.set(name, space);
    return space;
  }

  #addNamespace(name: string, words: string): string | null {
    if (this.#spaces.has(name)) return "it exists";
    this.#spaces.set(name, copyOf({ ...EMPTY, name, words, links: [LOOPBACK] }));
    return null;
  }

  #addLink(space: Space, link: LinkState): string | null {
    const made = { ...link, isUp: false, master: null, port: null, alias: null };
    if (space.links.some(({ name }) => name === link.name)) return `${link.name} exists`;
    if (link.kind.kind === "veth" && link.kind.peer !== null) {
      const { namespace, name } = link.kind.peer;
      const other = this.#spaces.get(namespace) ?? this.#own(namespace);
      if (other === null) return `there is no namespace ${namespace}`;
      if (other.links.some((one) => one.name === name)) return `${name} exists`;
      const peer = { namespace: space.name, name: link.name };
      other.links.push({ ...made, name, mac: null, kind: { kind: "veth", peer } });
    }
    space.links.push(made);
    return null;
  }

  #deleteLink(space: Space, name: string): string | null {
    const link = space.links.find((one) => one.name === name);
    if (link === undefined) return `there is no ${name}`;
    space.links = space.links.filter((one) => one !== link);
    forget(space, name);
    this.#removePeer(link);
    return null;
  }

  #removePeer({ kind }: LinkState): void {
    if (kind.kind !== "veth" || kind.peer === null) return;
    const { namespace, name } = kind.peer;
    const other = this.#spaces.get(namespace);
    if (other === undefined) return;
    other.links = other.links.filter((one) => one.name !== name);
    forget(other, name);
  }

  #setLink(space: Space, link: LinkState): string | null {
    const at = space.links.findIndex(({ name }) => name === link.name);
    if (at === -1) return `there is no ${link.name}`;
    if (link.master !== null && !space.links.some(({ name }) => name === link.master))
      return `there is no ${link.master}`;
    space.links[at] = link;
    return null;
  }

  #doProcess(change: Extract<Change, { readonly process: ProcessState }>): string | null {
    const { name, namespace } = change.process;
    const isRunning = this.#processes.has(name);
    if (change.kind === "start-process") {
      if (isRunning) return "it runs";
      if (!this.#spaces.has(namespace)) return `there is no namespace ${namespace}`;
      this.#processes.set(name, change.process);
      return null;
    }
    if (!isRunning) return "it does not run";
    if (change.kind === "stop-process") this.#processes.delete(name);
    else this.#processes.set(name, change.process);
    return null;
  }
}

const EMPTY: NamespaceState = {
  name: null,
  words: "",
  links: [],
  addresses: [],
  routes: [],
  rules: [],
  sysctls: [],
  tables: [],
};

const LOOPBACK: LinkState = {
  name: "lo",
  kind: { kind: "physical" },
  mac: null,
  mtu: 65536,
  isUp: false,
  alias: null,
  master: null,
  port: null,
  isDhcpClient: false,
};

/** What was on a device goes with it. */
function forget(space: Space, link: string): void {
  space.addresses = space.addresses.filter((one) => one.link !== link);
  space.routes = space.routes.filter((one) => one.link !== link);
}

function copyOf(space: NamespaceState): Space {
  const { links, addresses, routes, rules, sysctls, tables } = space;
  return {
    ...space,
    links: [...links],
    addresses: [...addresses],
    routes: [...routes],
    rules: [...rules],
    sysctls: [...sysctls],
    tables: [...tables],
  };
}

function removeFrom<T>(list: T[], one: T): string | null {
  const at = list.findIndex((other) => isEqual(other, one));
  if (at === -1) return "there is none such";
  list.splice(at, 1);
  return null;
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
