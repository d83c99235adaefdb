// `peers` sections (manual 3.5): who else has the same tables, and tables of the section's own.
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { PeerEndpoint, PeersSection } from "../../model/stick-table.ts";
import { type Endpoint, expandVariables, parseEndpoint } from "./address.ts";
import { Cursor } from "./cursor.ts";
import type { Mutable } from "./draft.ts";
import { displayText } from "./lexer.ts";
import type { Line } from "./lines.ts";
import type { Reading } from "./reading.ts";
import { readTableWords } from "./stick-table-line.ts";
import type { Word } from "./word.ts";

const WORDS = [
  "bind",
  "default-bind",
  "default-server",
  "disabled",
  "enabled",
  "log",
  "peer",
  "server",
  "table",
];

interface PeersDraft extends Mutable<Omit<PeersSection, "peers">> {
  peers: PeersSection["peers"][number][];
}

export function readPeers(reading: Reading, name: string, span: Span, lines: readonly Line[]): void {
  const localName =
    reading.localPeer ?? reading.variable("HAPROXY_LOCALPEER") ?? reading.environment.hostname;
  const draft: PeersDraft = { name, localName, local: null, peers: [], isDisabled: false, span };
  for (const line of lines) readLine(reading, draft, line);
  const { peers, ...rest } = draft;
  reading.peers.push({ ...rest, peers });
}

function readLine(reading: Reading, draft: PeersDraft, line: Line): void {
  const { report } = reading;
  const keyword = line.words[0]!;
  const cursor = new Cursor(line.words, 1, report);
  switch (keyword.text) {
    case "peer":
    case "server":
      readPeer(reading, draft, cursor, keyword.text === "peer");
      return;
    case "bind":
      readBind(reading, draft, cursor);
      return;
    case "default-bind":
    case "default-server":
      checkParameters(reading, draft, cursor.rest());
      return;
    case "table":
      readTable(reading, cursor, draft.name, line.span);
      return;
    case "disabled":
    case "enabled":
      draft.isDisabled = keyword.text === "disabled";
      cursor.expectEnd();
      return;
    case "log":
      report.warning("no-effect", line.span, "connections of peers are not logged");
      return;
    default: {
      const message = `unknown keyword \`${displayText(keyword.text)}\` in a \`peers\` section`;
      report.error("unknown-keyword", keyword.span, message, suggestWord(keyword.text, WORDS));
    }
  }
}

/** `peer` needs an address; a `server` without one is this machine. */
function readPeer(reading: Reading, draft: PeersDraft, cursor: Cursor, needsAddress: boolean): void {
  const name = cursor.expect("the peer's name");
  if (name === null) return;
  if ((cursor.isAtEnd && !needsAddress) || isNowhere(reading, cursor.peek())) {
    draft.peers.push({ name: name.text, endpoint: null });
    return;
  }
  const endpoint = readEndpoint(reading, cursor);
  if (endpoint === null) return;
  checkParameters(reading, draft, cursor.rest());
  if (endpoint.kind !== "ip") {
    reading.report.error("bad-address", name.span, "a peer has an IP address, or a name, and a port");
    return;
  }
  const place = placeOf(endpoint);
  draft.peers.push({ name: name.text, endpoint: place });
  if (name.text === draft.localName) draft.local ??= place;
}

function readBind(reading: Reading, draft: PeersDraft, cursor: Cursor): void {
  const word = cursor.peek();
  const endpoint = readEndpoint(reading, cursor);
  if (endpoint === null || word === null) return;
  checkParameters(reading, draft, cursor.rest());
  if (endpoint.kind === "fd") draft.local = { fd: endpoint.fd };
  else if (endpoint.kind === "ip") draft.local = placeOf(endpoint);
  else reading.report.error("bad-address", word.span, "peers are listened for on IP addresses");
}

function readEndpoint(reading: Reading, cursor: Cursor): Endpoint | null {
  const word = cursor.expect("an address with its port");
  if (word === null) return null;
  return parseEndpoint(word, { port: "needed" }, reading.report, (variable) => reading.variable(variable));
}

/** An address of variables that are not set, which HAProxy takes for none. */
function isNowhere(reading: Reading, word: Word | null): boolean {
  return word !== null && expandVariables(word.text, (name) => reading.variable(name)) === ":";
}

function placeOf({ host, port, family }: Extract<Endpoint, { kind: "ip" }>): PeerEndpoint {
  const number = port?.kind === "range" ? port.low : 0;
  return { host: host !== "" ? host : family === 6 ? "::" : "0.0.0.0", port: number };
}

/** What asks for encryption must not get a connection without. */
function checkParameters(reading: Reading, draft: PeersDraft, words: readonly Word[]): void {
  const ssl = words.find(({ text }) => text === "ssl");
  if (ssl === undefined) return;
  draft.isDisabled = true;
  reading.report.warning(
    "no-effect",
    ssl.span,
    `the peers of \`${displayText(draft.name)}\` are left alone: their connections cannot be encrypted yet`,
    "Tables are shared by the workers of this machine meanwhile.",
  );
}

function readTable(reading: Reading, cursor: Cursor, section: string, span: Span): void {
  const word = cursor.expect("the table's name");
  if (word === null) return;
  const name = `${section}/${word.text}`;
  const first = reading.stickTables.find((table) => table.name === name);
  if (first !== undefined) {
    const message = `there is already a stick table \`${displayText(name)}\``;
    reading.report.error("duplicate-name", word.span, message, "Give it another name.", [
      { span: first.span, message: "it is here" },
    ]);
    return;
  }
  reading.stickTables.push({ ...readTableWords(reading, cursor, name, span), peers: section });
}
