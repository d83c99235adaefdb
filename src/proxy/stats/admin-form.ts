// The form of the statistics page, in HAProxy's vocabulary (`s=SERVER&s=SERVER&action=drain&b=%23ID`, in any
// order), as commands of the runtime API.
import type { Runtime, Server } from "../runtime.ts";

export interface AdminForm {
  /** HAProxy's codes: all done, a part, nothing, bad parameters. */
  readonly outcome: "DONE" | "PART" | "NONE" | "ERRP";
  readonly commands: readonly string[];
}

/** Null: the server does not take part in what was asked. */
type Command = (name: string, server: Server) => string | null;

const ACTIONS: Readonly<Record<string, Command>> = {
  ready: (name) => `set server ${name} state ready`,
  drain: (name) => `set server ${name} state drain`,
  maint: (name) => `set server ${name} state maint`,
  enable: (name) => `enable server ${name}`,
  disable: (name) => `disable server ${name}`,
  start: (name) => `set server ${name} state ready`,
  stop: (name) => `set server ${name} state drain`,
  shutdown: (name) => `shutdown sessions server ${name}`,
  ehlth: checked((name) => `enable health ${name}`),
  dhlth: checked((name) => `disable health ${name}`),
  hrunn: untracked((name) => `set server ${name} health up`),
  hnolb: untracked((name) => `set server ${name} health stopping`),
  hdown: untracked((name) => `set server ${name} health down`),
  eagent: withAgent((name) => `enable agent ${name}`),
  dagent: withAgent((name) => `disable agent ${name}`),
  arunn: withAgent((name) => `set server ${name} agent up`),
  adown: withAgent((name) => `set server ${name} agent down`),
};

/** Reads application/x-www-form-urlencoded. Servers that do not exist make it a part. */
export function readAdminForm(body: string, runtime: Runtime): AdminForm {
  const form = new URLSearchParams(body);
  const names = form.getAll("s");
  const reference = form.get("b");
  const action = form.get("action");
  const backend = runtime.backends.find(
    ({ name, definition }) => reference === name || reference === `#${definition.id}`,
  );
  if (reference !== null && backend === undefined) return { outcome: "ERRP", commands: [] };
  if (action !== null && action !== "" && !Object.hasOwn(ACTIONS, action))
    return { outcome: "ERRP", commands: [] };
  if (backend === undefined || action === null || action === "" || names.length === 0)
    return { outcome: "NONE", commands: [] };
  const commands = names.flatMap((name) => {
    const server = backend.serversByName.get(name);
    const command = server === undefined ? null : ACTIONS[action]!(`${backend.name}/${name}`, server);
    return command === null ? [] : [command];
  });
  return {
    outcome: commands.length === 0 ? "NONE" : commands.length < names.length ? "PART" : "DONE",
    commands,
  };
}

function checked(command: (name: string) => string): Command {
  return (name, { definition }) => (definition.check === null ? null : command(name));
}

function untracked(command: (name: string) => string): Command {
  return (name, { definition }) => (definition.track === null ? command(name) : null);
}

function withAgent(command: (name: string) => string): Command {
  return (name, { definition }) => (definition.agent === null ? null : command(name));
}
