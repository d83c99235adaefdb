// The commands there are. Each is loaded only when it is called: `sallyport --version` must not read a web
// server.
import type { Terminal } from "./terminal.ts";

/** Takes the words behind the command; the number is the exit code. */
export type Command = (args: readonly string[], terminal: Terminal) => Promise<number>;

export interface CommandEntry {
  readonly name: string;
  readonly synopsis: string;
  readonly summary: string;
  load(): Promise<Command>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "run",
    synopsis: "run FILE…",
    summary: "serve what the configuration says, in the foreground",
    load: async () => (await import("./run.ts")).run,
  },
  {
    name: "check",
    synopsis: "check FILE…",
    summary: "say everything that is wrong with a configuration",
    load: async () => (await import("./check.ts")).check,
  },
  {
    name: "explain",
    synopsis: "explain FILE FROM to TO",
    summary: "where a packet or a request goes, and which line decided it",
    load: async () => (await import("./explain.ts")).explain,
  },
  {
    name: "plan",
    synopsis: "plan FILE",
    summary: "what apply would do",
    load: async () => (await import("./plan.ts")).plan,
  },
  {
    name: "apply",
    synopsis: "apply FILE",
    summary: "make a datacentre real on this machine; undone when it fails",
    load: async () => (await import("./apply.ts")).apply,
  },
  {
    name: "confirm",
    synopsis: "confirm FILE",
    summary: "keep what apply --confirm has made on trial",
    load: async () => (await import("./confirm.ts")).confirm,
  },
  {
    name: "shell",
    synopsis: "shell FILE NAME",
    summary: "enter a machine, an edge, or a network outside",
    load: async () => (await import("./shell.ts")).shell,
  },
  {
    name: "program",
    synopsis: "program list|logs|restart FILE",
    summary: "what runs in a datacentre: machines, DHCP, load balancers",
    load: async () => (await import("./program.ts")).program,
  },
  {
    name: "destroy",
    synopsis: "destroy FILE",
    summary: "take away what apply made",
    load: async () => (await import("./destroy.ts")).destroy,
  },
  {
    name: "init",
    synopsis: "init [FILE]",
    summary: "a commented datacentre file to start from",
    load: async () => (await import("./init.ts")).init,
  },
  {
    name: "draw",
    synopsis: "draw FILE",
    summary: "the topology of a datacentre as a picture",
    load: async () => (await import("./draw.ts")).draw,
  },
  {
    name: "export",
    synopsis: "export netplan|networkd FILE",
    summary: "a host's bonds and VLANs for netplan or systemd-networkd",
    load: async () => (await import("./export.ts")).exportFiles,
  },
  {
    name: "switch",
    synopsis: "switch upgrade|restore FILE",
    summary: "a newer version for a switch of a datacentre",
    load: async () => (await import("./switch.ts")).switchCommand,
  },
  {
    name: "vapp",
    synopsis: "vapp copy|remove FILE VAPP",
    summary: "more copies of an application, or fewer",
    load: async () => (await import("./vapp.ts")).vapp,
  },
  {
    name: "cluster",
    synopsis: "cluster status|drain|start FILE",
    summary: "who of an NLB cluster takes what; members out and in again",
    load: async () => (await import("./cluster.ts")).cluster,
  },
  {
    name: "console",
    synopsis: "console serve|open FILE",
    summary: "screens and serial lines of machines, in a browser",
    load: async () => (await import("./console.ts")).consoleCommand,
  },
  {
    name: "schema",
    synopsis: "schema",
    summary: "the JSON Schema of datacentre files, for editors",
    load: async () => (await import("./schema.ts")).schema,
  },
  {
    name: "convert",
    synopsis: "convert config|certificate FILE",
    summary: "a 1.5 configuration or a Windows certificate for today",
    load: async () => (await import("./convert.ts")).convert,
  },
  {
    name: "reload",
    synopsis: "reload",
    summary: "take up changed files; nothing is interrupted",
    load: async () => (await import("./reload.ts")).reload,
  },
  {
    name: "dashboard",
    synopsis: "dashboard user|list FILE",
    summary: "who may log in to the dashboard, and what he may do there",
    load: async () => (await import("./dashboard.ts")).dashboard,
  },
  {
    name: "status",
    synopsis: "status",
    summary: "frontends, backends and servers of what runs here",
    load: async () => (await import("./status.ts")).status,
  },
  {
    name: "demo",
    synopsis: "demo",
    summary: "three small web servers and a load balancer in front, to try",
    load: async () => (await import("./demo.ts")).demo,
  },
];
