// `peers` sections (manual 3.5): who else has the same tables, and tables of the section's own. They are read
// and checked; entries are shared by the workers of this machine only, which is said.
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { PeersSection } from "../../model/stick-table.ts";
import { parseEndpoint } from "./address.ts";
import { Cursor } from "./cursor.ts";
import { displayText } from "./lexer.ts";
import type { Line } from "./lines.ts";
import type { Reading } from "./reading.ts";
import { readTableWords } from "./stick-table-line.ts";

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

export function readPeers(reading: Reading, name: string, span: Span, lines: readonly Line[]): void {
  const { report } = reading;
  const peers: PeersSection["peers"][number][] = [];
  let isDisabled = false;
  for (const line of lines) {
    const keyword = line.words[0]!;
    const cursor = new Cursor(line.words, 1, report);
    switch (keyword.text) {
      case "peer":
      case "server": {
        const peer = readPeer(reading, cursor, keyword.text === "peer", line.span);
        if (peer !== null) peers.push(peer);
        break;
      }
      case "table":
        readTable(reading, cursor, name, line.span);
        break;
      case "disabled":
      case "enabled":
        isDisabled = keyword.text === "disabled";
        cursor.expectEnd();
        break;
      case "bind":
      case "default-bind":
      case "default-server":
      case "log":
        break;
      default: {
        const message = `unknown keyword \`${displayText(keyword.text)}\` in a \`peers\` section`;
        report.error("unknown-keyword", keyword.span, message, suggestWord(keyword.text, WORDS));
      }
    }
  }
  reading.peers.push({ name, peers, isDisabled, span });
  noticeOthers(reading, name, peers, isDisabled, span);
}

/** With nobody but itself in it a section shares nothing in HAProxy either, but over reloads, as here. */
function noticeOthers(
  reading: Reading,
  name: string,
  peers: PeersSection["peers"],
  isDisabled: boolean,
  span: Span,
): void {
  if (isDisabled || peers.length < 2) return;
  reading.report.warning(
    "no-effect",
    span,
    `the peers of \`${displayText(name)}\` are not told of entries`,
    "Tables are shared by all workers of this machine and live through reloads; other machines have their own.",
  );
}

/** `peer` needs an address; a `server` without one is this machine. */
function readPeer(
  reading: Reading,
  cursor: Cursor,
  needsAddress: boolean,
  span: Span,
): PeersSection["peers"][number] | null {
  const name = cursor.expect("the peer's name");
  if (name === null) return null;
  if (cursor.isAtEnd && !needsAddress) return { name: name.text, address: null, span };
  const word = cursor.expect("an address with its port");
  if (word === null) return null;
  const endpoint = parseEndpoint(word, { port: "needed" }, reading.report, (variable) =>
    reading.variable(variable),
  );
  return endpoint === null ? null : { name: name.text, address: word.text, span };
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
