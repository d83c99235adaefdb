// `dispatch` and `option transparent`: where a backend sends what no cookie or rule binds to a server (manual
// 4.2). To the rest of the program either is a server without a name of its own: logs show none.
import type { Server } from "../../model/proxy.ts";
import { parseEndpoint } from "./address.ts";
import type { ProxyDraft } from "./draft.ts";
import { cursorOf, type ProxyLine, type Reading } from "./reading.ts";
import { newServerDraft } from "./server-draft.ts";
import { buildServer, toServerAddress } from "./server-line.ts";

/** What logs print where there is no server. */
const NAME = "<NOSRV>";

export function readDispatch(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const word = cursor.expect("an address with its port");
  if (word === null) return;
  const endpoint = parseEndpoint(word, { port: "needed" }, line.report, (name) =>
    line.reading.variable(name),
  );
  cursor.expectEnd();
  if (endpoint === null) return;
  if (endpoint.kind === "fd" || endpoint.kind === "abstract") {
    const help = "Possible: IP addresses, names, and unix sockets.";
    line.report.error("bad-address", word.span, "connections cannot be sent to such an address", help);
    return;
  }
  line.draft.dispatch = build(line, toServerAddress(endpoint), word.text);
}

/** The keyword `transparent`, and the option. */
export function readTransparent(line: ProxyLine): void {
  // An address and a port of 0 stand for those that the client wanted to reach.
  const anywhere = build(line, toServerAddress(null), "0.0.0.0");
  line.draft.transparent = line.modifier === "no" ? null : anywhere;
}

/** Which of them counts. With `balance`, HAProxy ignores the one and refuses the other. */
export function finishDispatch(reading: Reading, draft: ProxyDraft): Server | null {
  const { dispatch, transparent, hasBalance, name } = draft;
  if (!hasBalance) return dispatch ?? transparent;
  if (dispatch !== null)
    reading.report.warning("no-effect", dispatch.span, "`dispatch` does nothing beside `balance`");
  else if (transparent !== null)
    reading.report.error(
      "conflict",
      transparent.span,
      `the backend \`${name}\` cannot use both \`transparent\` and \`balance\``,
      "Take one of them out.",
    );
  return null;
}

function build(line: ProxyLine, address: Server["address"], text: string): Server {
  return buildServer(line, newServerDraft(), NAME, address, text, 0, line.span);
}
