// The words of a `server` line that say how its name is looked up (manual 5.2 and 5.3): `init-addr` at the
// start, `resolvers` and what goes with it from then on.
import { parseIpAddress, parseIpNetwork } from "../../base/address.ts";
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Server } from "../../model/proxy.ts";
import { isServiceName } from "../../model/resolvers.ts";
import type { Cursor } from "./cursor.ts";
import { displayText } from "./lexer.ts";
import type { ProxyLine } from "./reading.ts";
import type { ServerDraft } from "./server-draft.ts";
import type { ServerWord } from "./server-line.ts";
import type { Word } from "./word.ts";

const START_METHODS = ["last", "libc", "none"];
const OPTIONS = ["allow-dup-ip", "ignore-weight", "prevent-dup-ip"];

export const RESOLUTION_READERS: Readonly<Record<string, (word: ServerWord) => void>> = {
  "init-addr": ({ cursor, draft }) => {
    const methods = listBehind(cursor, "a list of methods");
    for (const { text, word } of methods) {
      if (START_METHODS.includes(text) || parseIpAddress(text) !== null) continue;
      const known = [...START_METHODS, "an IP address"];
      cursor.unknown({ ...word, text }, "method of `init-addr`", known);
    }
    if (methods.length > 0) draft.initialAddress = methods.map(({ text }) => text);
  },
  resolvers: ({ line, cursor, draft }) => {
    const word = cursor.expect("the name of a `resolvers` section");
    if (word === null) return;
    draft.resolvers = { text: word.text, span: word.span };
    line.reading.deferred.push(() => checkName(line, word));
  },
  "resolve-prefer": ({ cursor, draft }) => {
    const family = cursor.expectOneOf("address family", ["ipv4", "ipv6"]);
    if (family !== null) draft.resolution.family = family === "ipv4" ? 4 : 6;
  },
  "resolve-net": ({ cursor, draft }) => {
    const networks = listBehind(cursor, "a list of networks");
    for (const { text, word } of networks)
      if (parseIpNetwork(text) === null)
        cursor.report.error(
          "bad-address",
          word.span,
          `\`${displayText(text)}\` is no network`,
          "Write an address and a length: 10.0.0.0/8.",
        );
    draft.resolution.networks = networks.map(({ text }) => text);
  },
  "resolve-opts": ({ cursor, draft }) => {
    for (const { text, word } of listBehind(cursor, "a list of options")) {
      if (!OPTIONS.includes(text)) cursor.unknown({ ...word, text }, "option of `resolve-opts`", OPTIONS);
      else if (text === "ignore-weight") draft.resolution.ignoresWeight = true;
      else draft.resolution.allowsDuplicates = text === "allow-dup-ip";
    }
  },
};

function listBehind(cursor: Cursor, what: string): { text: string; word: Word }[] {
  const word = cursor.expect(what);
  return word === null ? [] : word.text.split(",").map((text) => ({ text, word }));
}

/** Its section may come later. */
function checkName({ reading, report }: ProxyLine, { text, span }: Word): void {
  const { resolvers } = reading.names;
  if (resolvers.has(text)) return;
  const name = displayText(text);
  const help =
    suggestWord(text, resolvers) ??
    `Add a section \`resolvers ${name}\` with \`nameserver NAME ADDRESS:53\`.`;
  report.error("unknown-name", span, `there is no section \`resolvers ${name}\``, help);
}

/** Null where nobody is to be asked. A service needs nameservers: the system does not know of any. */
export function finishResolution(
  { report, words, span, draft: { servers } }: ProxyLine,
  { resolvers, resolution }: ServerDraft,
  address: Server["address"],
): Server["resolution"] {
  if (address.kind !== "tcp") return null;
  if (resolvers !== null) return { resolvers: resolvers.text, ...resolution };
  // Once for all servers of a template.
  if (isServiceName(address.host) && servers.every((server) => server.span !== span)) {
    const place = words.find(({ text }) => text.includes(address.host))?.span ?? span;
    const message = `\`${displayText(address.host)}\` is the name of a service, which only \`resolvers\` look up`;
    report.error("missing-argument", place, message, "Add `resolvers NAME`, and a section of that name.");
  }
  return null;
}
