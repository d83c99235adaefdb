import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfiguration } from "./reader.ts";

const FILES: Readonly<Record<string, string>> = {
  "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nhaproxy:x:113:119::/var/lib/haproxy:/usr/sbin/nologin\n",
  "/etc/group": "root:x:0:\nweb:x:4242:haproxy\n",
};

function read(globalLines: string, words: string) {
  const text = `global\n${globalLines}\nfrontend f\n mode tcp\n timeout client 1s\n bind /run/f.sock ${words}\n default_backend b\nbackend b\n mode tcp\n timeout connect 1s\n timeout server 1s\n server s 127.0.0.1:1\n`;
  const { configuration, diagnostics } = readConfiguration([{ name: "x.cfg", text }], {
    variables: {},
    readFile: (path) => (path in FILES ? Buffer.from(FILES[path]!) : null),
    hostname: "machine",
    cpuCount: 1,
  });
  const address = configuration?.proxies.find(({ name }) => name === "f")?.frontend?.binds[0]?.address;
  const sockets = configuration?.global.statsSockets.map((socket) => socket.address);
  return { address, sockets, messages: diagnostics.map(({ message }) => message) };
}

test("a unix socket's owner is found by name among the machine's users and groups", () => {
  assert.deepEqual(read("", "user haproxy group web mode 660"), {
    address: { kind: "unix", path: "/run/f.sock", mode: 0o660, uid: 113, gid: 4242 },
    sockets: [],
    messages: [],
  });
  assert.deepEqual(read("", "uid 5 gid 0").address, {
    kind: "unix",
    path: "/run/f.sock",
    mode: null,
    uid: 5,
    gid: 0,
  });
});

test("a user whom the machine does not have is told, and the socket keeps its owner", () => {
  const { address, messages } = read("", "user nobody-here");
  assert.deepEqual(address, { kind: "unix", path: "/run/f.sock", mode: null, uid: null, gid: null });
  assert.deepEqual(messages, ["/etc/passwd has no user `nobody-here`, so the socket keeps its owner"]);
});

test("`unix-bind` is for the sockets of all bind lines that follow, each of which can say otherwise", () => {
  const global =
    " unix-bind prefix /tmp mode 700 user haproxy gid 7\n stats socket /run/api.sock level admin";
  const { address, sockets, messages } = read(global, "mode 600 group web");
  assert.deepEqual(address, { kind: "unix", path: "/tmp/run/f.sock", mode: 0o600, uid: 113, gid: 4242 });
  assert.deepEqual(sockets, [{ kind: "unix", path: "/run/api.sock", mode: null, uid: null, gid: null }]);
  assert.deepEqual(messages, []);
  assert.match(read(" unix-bind owner x", "").messages[0]!, /unix-bind/);
});
