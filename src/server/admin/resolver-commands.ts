// `show resolvers` (management manual 9.3), in HAProxy's words.
import type { ResolversSection } from "../../model/resolvers.ts";
import type { NameResolver } from "../../proxy/resolvers/name-resolver.ts";
import { NAMESERVER_COUNTERS } from "../../proxy/resolvers/nameserver-counters.ts";
import { type Command, type CommandContext, message } from "./command.ts";

export const RESOLVER_COMMANDS: readonly Command[] = [
  {
    name: "show resolvers",
    usage: "[<section>]",
    help: "what nameservers were asked and have answered",
    level: "user",
    run: show,
  },
];

function show([name]: readonly string[], { actions: { resolver } }: CommandContext): string {
  const sections = resolver.sections.filter((section) => name === undefined || section.name === name);
  if (name !== undefined && sections.length === 0) return message("Can't find that resolvers section");
  return sections.map((section) => describe(section, resolver)).join("");
}

function describe({ name, nameservers }: ResolversSection, resolver: NameResolver): string {
  const lines = nameservers.flatMap((nameserver) => {
    const counters = resolver.countersOf(name, nameserver.name);
    const counts = NAMESERVER_COUNTERS.map((counter) => `  ${`${counter}:`.padEnd(13)}${counters[counter]}`);
    return [` nameserver ${nameserver.name}:`, ...counts];
  });
  return [`Resolvers section ${name}`, ...lines].map(message).join("");
}
