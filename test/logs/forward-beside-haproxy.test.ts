// Messages of other programs, sent to HAProxy and to us, by datagrams and by TCP: what both send on, in each
// format, is the same, apart from what HAProxy damages (see DAMAGED).
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { freePorts } from "../free-port.ts";
import { ask } from "../processes/load.ts";
import { RunningSallyport, TestDirectory } from "../processes/running-sallyport.ts";
import { findCommand, requires } from "../requirements.ts";
import { DatagramReceiver } from "./receivers.fixture.ts";

const FORMATS = ["", "local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw"] as const;

const MESSAGES: readonly string[] = [
  "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
  "<34>Oct 11 22:14:15 mymachine su[123]: 'su root' failed\n",
  "<34>Oct  1 22:14:15 su[123]: without a host",
  "<34>Oct 01 22:14:15 host word text",
  "<34>Oct 11 22:14:15 host tag[pid]no colon",
  "<34>Oct 11 22:14:15 host tag: ",
  "<34>Oct 11 22:14:15 host t:x y",
  "<34>Oct 11 22:14:15 host a:b: c",
  "<34>Oct 11 22:14:15 host t[1]:",
  "<8>Oct 11 22:14:15 h t[]: empty pid",
  "<8>Oct 11 22:14:15 h t[x: unclosed",
  "<8>Oct 11 22:14:15 h  t: two spaces",
  "<34>Oct 11 22:14:15 mymachine",
  "<34>Oct 11 22:14:15 ",
  "<34>Oct 11 22:14:15",
  "<34>oct 11 22:14:15 h t: month",
  "<34>Oct 41 29:64:61 h t: beyond the calendar",
  "<034>Oct 11 22:14:15 h t: leading zero",
  "<34>Oct 11 22:14:15 h t: two\nlines\n",
  "<8>Oct 11 22:14:15 h t: \xff\0\x01 bytes",
  `<34>Oct 11 22:14:15 h t: ${"x".repeat(2000)}`,
  '<165>1 2003-10-11T22:14:15.003Z host app 42 ID47 [a@1 i="3" e="A\\"b"][b@1 x="y"] An event',
  "<165>1 2003-10-11T22:14:15.003000+02:00 h - - - - only a host",
  "<165>1 - host app pid mid - no date",
  "<165>1 - h - - - - no date but a host",
  "<165>2 2003-10-11T22:14:15.003Z h a p m - version two",
  "<165>1 2003-10-11T22:14:15Z h a p m [x] no fraction",
  "<34>just text",
  "<34>2003-10-11T22:14:15.003000+02:00 timed",
  "2003-10-11T22:14:15.003000+02:00 iso",
  "no header at all",
  "<5>short",
  "<999>large",
  "<>empty",
  "<34>",
  "",
  "\n",
  "<12x>no number",
];

/**
 * HAProxy loses the date of these ("" keeps the format), or their last bytes, or takes quoted brackets for
 * the end.
 */
const DAMAGED: readonly (readonly [message: string, format: (typeof FORMATS)[number], ours: string])[] = [
  ["<165>1 2003-10-11T22:14:15.003Z - - m - - x", "", "<165>1 2003-10-11T22:14:15.003Z - - m - - x\n"],
  ["<165>1 - - app - - - x", "", "<165>1 - - app - - - x\n"],
  ["<165>1 - h a p m not data", "priority", "<165>1 - h a p m not data\n"],
  ["<165>1 - h a p m -", "rfc5424", "<165>1 - h a p m - \n"],
  ['<165>1 - h a p m [a b="] "] x', "raw", "x\n"],
];

function configuration(datagrams: number, stream: number, web: number, receivers: readonly number[]): string {
  const logs = receivers.map((port, i) => {
    const format = FORMATS[i] === "" ? "" : ` format ${FORMATS[i]}`;
    return `  log 127.0.0.1:${port}${format} local3`;
  });
  return `
defaults
  mode http
  timeout client 30s
frontend web
  bind 127.0.0.1:${web}
  http-request return status 200
log-forward all
  dgram-bind 127.0.0.1:${datagrams}
  bind 127.0.0.1:${stream}
  timeout client 30s
${logs.join("\n")}
`;
}

interface Subject {
  readonly datagrams: number;
  readonly stream: number;
  readonly receivers: readonly DatagramReceiver[];
}

/** The dates that are made here: of this year, which those in the messages are not, or of today. */
function alike(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00 /, (date) =>
      date.startsWith("2003") ? date : "NOW ",
    )
    .replace(/>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d /, (date) => (date.startsWith(">Oct") ? date : ">NOW "));
}

async function forward({ datagrams, receivers }: Subject, message: string): Promise<string[]> {
  const sender = createSocket("udp4");
  sender.send(Buffer.from(message, "latin1"), datagrams, "127.0.0.1");
  const lines = await Promise.all(receivers.map((receiver) => receiver.next()));
  sender.close();
  return lines.map(alike);
}

/** What comes of a stream that holds so many messages. */
async function forwardStream({ stream, receivers }: Subject, text: string, count: number): Promise<string[]> {
  const socket = connect(stream, "127.0.0.1").on("error", () => {});
  for (const half of [text.slice(0, text.length / 2), text.slice(text.length / 2)])
    socket.write(Buffer.from(half, "latin1"));
  const lines: string[] = [];
  for (let i = 0; i < count; i++)
    lines.push(...(await Promise.all(receivers.map((one) => one.next()))).map(alike));
  socket.destroy();
  return lines;
}

const STREAMS: readonly (readonly [text: string, count: number])[] = [
  ["<34>Oct 11 22:14:15 h t: one\n<34>Oct 11 22:14:15 h t: two\n", 2],
  ["28 <34>Oct 11 22:14:15 h t: one28 <34>Oct 11 22:14:15 h t: two", 2],
  ["29 <34>Oct 11 22:14:15 h t: one\n<34>Oct 11 22:14:15 h t: two\n5 <34>a", 3],
  ["<34>Oct 11 22:14:15 h t: nul\0and more\n<34>never ended", 1],
  ["5 <34>a0 <34>b\n<34>c\n", 1],
  ["5 <34>a99999999999 <34>b\n", 1],
  ["<34>a\ngarbage\n<34>b\n", 1],
  ["<34>a\n\n<34>b\n", 1],
  [`<34>a\n<34>${"x".repeat(20_000)}\n<34>b\n`, 1],
];

test("HAProxy sends on the same lines in all formats", {
  skip: requires("haproxy"),
  timeout: 30_000,
}, async () => {
  using directory = new TestDirectory();
  const subjects: Subject[] = [];
  const files: { file: string; web: number }[] = [];
  await using stack = new AsyncDisposableStack();
  for (const name of ["haproxy", "sallyport"]) {
    const receivers: DatagramReceiver[] = [];
    for (const _ of FORMATS) receivers.push(stack.use(await DatagramReceiver.start()));
    const [datagrams = 0, stream = 0, web = 0] = await freePorts(3);
    const text = configuration(
      datagrams,
      stream,
      web,
      receivers.map(({ port }) => port),
    );
    files.push({ file: directory.file(`${name}.cfg`, text), web });
    subjects.push({ datagrams, stream, receivers });
  }
  const [theirs, ours] = subjects as [Subject, Subject];
  const haproxy = spawn(findCommand("haproxy")!, ["-db", "-f", files[0]!.file], {
    stdio: "ignore",
    env: { ...process.env, TZ: "UTC" },
  });
  stack.defer(async () => {
    haproxy.kill("SIGKILL");
    await once(haproxy, "exit");
  });
  const sallyport = stack.use(
    await RunningSallyport.start(files[1]!.file, { engine: "portable", workers: 1 }),
  );
  await sallyport.until(async () => (await ask(files[0]!.web).catch(() => null)) !== null, "HAProxy serves");
  for (const message of MESSAGES) {
    const [expected, actual] = await Promise.all([forward(theirs, message), forward(ours, message)]);
    assert.deepEqual(actual, expected, JSON.stringify(message.slice(0, 100)));
  }
  for (const [text, count] of STREAMS) {
    const [expected, actual] = await Promise.all([
      forwardStream(theirs, text, count),
      forwardStream(ours, text, count),
    ]);
    assert.deepEqual(actual, expected, JSON.stringify(text.slice(0, 100)));
  }
  for (const [message, format, line] of DAMAGED) {
    const [damaged, actual] = await Promise.all([forward(theirs, message), forward(ours, message)]);
    const at = FORMATS.indexOf(format);
    assert.equal(actual[at], line);
    assert.notEqual(damaged[at], line, `HAProxy no longer damages ${message}`);
  }
});
