// The whole way from a program that finds a server bad to the mail about it: through the master, which reads
// the sections, starts the program, and finds the mailer.
import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { freePort } from "../free-port.ts";
import { RunningSallyport, TestDirectory } from "./running-sallyport.ts";

test("a program that fails takes its server down, and a mail tells of it", async () => {
  using directory = new TestDirectory();
  const arrived = Promise.withResolvers<string>();
  const mailer = createServer((socket) => {
    let text = "";
    socket.on("error", () => {}).write("220 ready\r\n");
    socket.setEncoding("latin1").on("data", (part: string) => {
      text += part;
      // One reply to each line outside of the mail, and one to the mail.
      const isInMail = text.includes("DATA\r\n") && !text.includes("\r\n.\r\n");
      if (isInMail && !part.startsWith("DATA")) return;
      socket.write(part.startsWith("DATA") ? "354 go on\r\n" : "250 ok\r\n");
      if (text.endsWith("QUIT\r\n")) arrived.resolve(text);
    });
  });
  await new Promise<void>((resolve) => mailer.listen(0, "localhost", resolve));
  using _mailer = { [Symbol.dispose]: () => void mailer.close() };
  const { port } = mailer.address() as AddressInfo;
  const file = directory.file(
    "x.cfg",
    `
global
  external-check
  insecure-fork-wanted
mailers operators
  mailer one localhost:${port}
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen web
  bind 127.0.0.1:${await freePort()}
  option external-check
  external-check path /usr/bin:/bin
  external-check command false
  email-alert mailers operators
  email-alert from lb@example.com
  email-alert to ops@example.com
  email-alert myhostname lb.example.com
  server a 192.0.2.1:80 check inter 1s fall 1
`,
  );
  await using _sallyport = await RunningSallyport.start(file, { engine: "portable", workers: 1 });
  const text = await arrived.promise;
  assert.match(
    text,
    /^HELO lb\.example\.com\r\nMAIL FROM:<lb@example\.com>\r\nRCPT TO:<ops@example\.com>\r\n/,
  );
  assert.match(
    text,
    /\r\nSubject: \[HAProxy Alert\] Server web\/a is DOWN, reason: External check error, code: 1, /,
  );
});
