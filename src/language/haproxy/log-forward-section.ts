// `log-forward` sections (manual 3.10): log lines of other programs are received and sent on.
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { DatagramBind, LogForwarder } from "../../model/log-forward.ts";
import { parseEndpoint } from "./address.ts";
import { readBind, splitAddresses } from "./bind-line.ts";
import { Cursor } from "./cursor.ts";
import { type Mutable, newDefaults, type ProxyDraft } from "./draft.ts";
import { displayText } from "./lexer.ts";
import type { Line } from "./lines.ts";
import { readLogTarget } from "./log-line.ts";
import type { Reading } from "./reading.ts";
import { expectDurationMs, expectInteger } from "./values.ts";
import type { Word } from "./word.ts";

const WORDS = ["backlog", "bind", "dgram-bind", "log", "maxconn", "timeout"] as const;
const MAXCONN_DEFAULT = 10;

interface ForwarderDraft extends Mutable<Omit<LogForwarder, "binds">> {
  datagramBinds: DatagramBind[];
  logs: LogForwarder["logs"][number][];
  /** What `bind` lines are read into. */
  readonly proxy: ProxyDraft;
}

export function readLogForwarder(
  reading: Reading,
  name: Word,
  span: Span,
  lines: readonly Line[],
  proxies: readonly { readonly name: string; readonly span: Span }[],
): void {
  const { report } = reading;
  const first = [...reading.logForwarders, ...proxies].find((section) => section.name === name.text);
  if (first !== undefined)
    report.error(
      "duplicate-name",
      name.span,
      `there is already a section with the name \`${displayText(name.text)}\``,
      "Give it another name.",
      [{ span: first.span, message: "the first is here" }],
    );
  const draft: ForwarderDraft = {
    name: name.text,
    datagramBinds: [],
    logs: [],
    maxconn: MAXCONN_DEFAULT,
    backlog: null,
    clientMs: null,
    span,
    proxy: { ...newDefaults(), kind: "frontend", name: name.text, mode: "tcp" },
  };
  for (const line of lines) readLine(reading, draft, line);
  const { proxy, ...forwarder } = draft;
  if (proxy.binds.length + forwarder.datagramBinds.length === 0 && !report.hasErrors)
    report.warning(
      "missing-bind",
      span,
      `\`log-forward ${displayText(name.text)}\` receives nothing`,
      "Add `dgram-bind ADDRESS:514` for UDP, or `bind ADDRESS:514` for TCP.",
    );
  reading.logForwarders.push({ ...forwarder, binds: proxy.binds });
}

function readLine(reading: Reading, draft: ForwarderDraft, line: Line): void {
  const { report } = reading;
  const keyword = line.words[0]!;
  const cursor = new Cursor(line.words, 1, report);
  switch (keyword.text) {
    case "bind": {
      const { proxy, words, span } = { proxy: draft.proxy, words: line.words, span: line.span };
      readBind({ reading, report, draft: proxy, words, keyword, modifier: null, span });
      return;
    }
    case "dgram-bind":
      readDatagramBind(reading, draft, cursor, line.span);
      return;
    case "log":
      readLog(reading, draft, cursor, line);
      return;
    case "maxconn":
      draft.maxconn = expectInteger(cursor, "a number of connections", 1) ?? draft.maxconn;
      break;
    case "backlog":
      draft.backlog = expectInteger(cursor, "a number of connections", 1) ?? draft.backlog;
      break;
    case "timeout":
      if (cursor.expectOneOf("timeout of log forwarders", ["client"]) === null) cursor.rest();
      else draft.clientMs = expectDurationMs(cursor, "a time") || null;
      break;
    default: {
      const message = `unknown keyword \`${displayText(keyword.text)}\` in a \`log-forward\` section`;
      report.error("unknown-keyword", keyword.span, message, suggestWord(keyword.text, WORDS));
      return;
    }
  }
  cursor.expectEnd();
}

/** `log global` takes those of the sections `global` above, as in proxies; `no log` forgets what was said. */
function readLog(reading: Reading, draft: ForwarderDraft, cursor: Cursor, line: Line): void {
  if (line.modifier !== null) draft.logs = [];
  else if (cursor.take("global") !== null) draft.logs.push(...reading.global.logs);
  else {
    const target = readLogTarget(reading, cursor, line.span);
    if (target !== null) draft.logs.push(target);
    return;
  }
  cursor.expectEnd();
}

/** Words of `bind` may follow; those that mean nothing for datagrams are told, as HAProxy ignores them. */
function readDatagramBind(reading: Reading, draft: ForwarderDraft, cursor: Cursor, span: Span): void {
  const { report } = reading;
  const word = cursor.expect("the address");
  if (word === null) return;
  for (const part of splitAddresses(word)) {
    const rules = { port: "needed", range: true, datagram: true } as const;
    const endpoint = parseEndpoint(part, rules, report, (name) => reading.variable(name));
    if (endpoint === null) continue;
    if (endpoint.kind === "fd") draft.datagramBinds.push({ address: endpoint, span });
    else if (endpoint.kind !== "ip" || endpoint.port?.kind !== "range")
      report.error(
        "bad-address",
        part.span,
        "datagrams are received at IP addresses",
        "Write an address and a port, such as `127.0.0.1:514`.",
      );
    else {
      const host = endpoint.host !== "" ? endpoint.host : endpoint.family === 6 ? "::" : "0.0.0.0";
      const { low, high } = endpoint.port;
      for (let port = low; port <= high; port++)
        draft.datagramBinds.push({ address: { kind: "udp", host, port }, span });
    }
  }
  const rest = cursor.rest();
  if (rest.length === 0) return;
  const narrows = rest.find(({ text }) => text === "interface" || text === "namespace");
  if (narrows !== undefined)
    report.error(
      "refused-keyword",
      narrows.span,
      `\`${narrows.text}\` is not supported for datagrams`,
      "Bind to the address of that interface.",
    );
  else
    report.notice(
      "no-effect",
      rest[0]!.span,
      `\`${displayText(rest[0]!.text)}\` has no effect on what receives datagrams`,
    );
}
