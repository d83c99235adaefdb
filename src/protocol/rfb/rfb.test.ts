import assert from "node:assert/strict";
import { test } from "node:test";
import forge from "node-forge";
import { answerChallenge } from "./challenge.ts";
import { ClientMessageFilter } from "./client-messages.ts";
import { RfbServerLogin, RfbViewerLogin } from "./handshake.ts";

const CHALLENGE = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");

test("a challenge is answered as plain DES with mirrored key bytes does", () => {
  const mirrored = [..."geheim\0\0"].map((letter) =>
    Number.parseInt([...letter.charCodeAt(0).toString(2).padStart(8, "0")].reverse().join(""), 2),
  );
  const cipher = forge.cipher.createCipher("DES-ECB", String.fromCharCode(...mirrored));
  cipher.start();
  cipher.update(forge.util.createBuffer(CHALLENGE.toString("latin1")));
  assert.equal(answerChallenge(CHALLENGE, "geheim").toString("latin1"), cipher.output.getBytes(16));
  assert.deepEqual(answerChallenge(CHALLENGE, "12345678"), answerChallenge(CHALLENGE, "12345678 and more"));
});

/** What the login says to a server's words, which come in steps of `step` bytes. */
function logIn(words: Buffer, password: string | null, step: number = words.length) {
  const login = new RfbServerLogin(password);
  for (let at = 0; at < words.length; at += step) login.receive(words.subarray(at, at + step));
  return { state: login.state, said: login.takeOutput() };
}
const version = (minor: number) => Buffer.from(`RFB 003.00${minor}\n`);
const reason = Buffer.from("\0\0\0\x04busy");

test("a server with a password gets the answer, in each version, whole and byte by byte", () => {
  const answer = answerChallenge(CHALLENGE, "secret");
  const rest = Buffer.from("ServerInit");
  for (const [minor, types, choice] of [
    [3, Buffer.of(0, 0, 0, 2), Buffer.alloc(0)],
    [7, Buffer.of(2, 1, 2), Buffer.of(2)],
    [8, Buffer.of(3, 19, 2, 16), Buffer.of(2)],
  ] as const) {
    const words = Buffer.concat([version(minor), types, CHALLENGE, Buffer.alloc(4), rest]);
    const whole = logIn(words, "secret");
    assert.deepEqual(whole.said, Buffer.concat([version(minor), choice, answer, Buffer.of(1)]));
    assert.deepEqual(whole.state, { kind: "done", rest });
    const steps = logIn(words.subarray(0, -rest.length), "secret", 1);
    assert.deepEqual(steps.said, whole.said);
    assert.equal(steps.state.kind, "done");
  }
});

test("a server without a password is taken as it is", () => {
  const words = Buffer.concat([version(8), Buffer.of(1, 1), Buffer.alloc(4)]);
  assert.equal(logIn(words, null).state.kind, "done");
  assert.deepEqual(logIn(words, null, 1).said, Buffer.concat([version(8), Buffer.of(1, 1)]));
  assert.equal(logIn(Buffer.concat([version(3), Buffer.of(0, 0, 0, 1)]), null).state.kind, "done");
  assert.equal(logIn(Buffer.concat([version(7), Buffer.of(1, 1)]), null).state.kind, "done");
});

test("what a server refuses or does not know ends the login with a reason", () => {
  const failure = (words: Buffer[], password: string | null) => {
    const { state } = logIn(Buffer.concat(words), password);
    return state.kind === "failed" ? state.message : state.kind;
  };
  assert.equal(failure([Buffer.from("HTTP/1.1 400")], null), "it does not speak RFB 3");
  assert.match(failure([version(8), Buffer.of(1, 2)], null), /wants a password/);
  assert.match(failure([version(8), Buffer.of(1, 19)], "x"), /security types 19 only/);
  assert.match(failure([version(8), Buffer.of(0), reason], "x"), /refuses: "busy"/);
  const wrong = [version(8), Buffer.of(1, 2), CHALLENGE, Buffer.of(0, 0, 0, 1), reason];
  assert.match(failure(wrong, "x"), /refuses: "busy"/);
  assert.match(
    failure([version(3), Buffer.of(0, 0, 0, 2), CHALLENGE, Buffer.of(0, 0, 0, 1)], "x"),
    /not take/,
  );
});

test("a viewer is asked for no password, whatever version he speaks", () => {
  for (const [minor, words, expected] of [
    [3, Buffer.of(1), Buffer.of(0, 0, 0, 1)],
    [7, Buffer.of(1, 0), Buffer.of(1, 1)],
    [8, Buffer.of(1, 1), Buffer.of(1, 1, 0, 0, 0, 0)],
  ] as const) {
    const login = new RfbViewerLogin();
    for (const byte of Buffer.concat([version(minor), words])) login.receive(Buffer.of(byte));
    assert.equal(login.state.kind, "done");
    assert.deepEqual(login.takeOutput(), Buffer.concat([version(8), expected]));
  }
  const login = new RfbViewerLogin();
  login.receive(Buffer.concat([version(8), Buffer.of(2)]));
  assert.equal(login.state.kind, "failed");
});

const KEY = Buffer.of(4, 1, 0, 0, 0, 0, 0, 65);
const POINTER = Buffer.of(5, 0, 0, 1, 0, 1);
const UPDATE = Buffer.of(3, 1, 0, 0, 0, 0, 2, 0, 2, 0);
const CUT = Buffer.concat([Buffer.of(6, 0, 0, 0, 0, 0, 0, 5), Buffer.from("paste")]);
const CUT_EXTENDED = Buffer.concat([Buffer.of(6, 0, 0, 0, 255, 255, 255, 252), Buffer.alloc(4)]);
const QEMU_KEY = Buffer.concat([Buffer.of(255, 0), Buffer.alloc(10)]);
const FENCE = Buffer.concat([Buffer.of(248, 0, 0, 0, 0, 0, 0, 1, 3), Buffer.from("abc")]);
const RESIZE = Buffer.concat([Buffer.of(251, 0, 0, 1, 0, 1, 1, 0), Buffer.alloc(16)]);
const encodings = (...list: number[]) => {
  const bytes = Buffer.alloc(4 + 4 * list.length);
  bytes[0] = 2;
  bytes.writeUInt16BE(list.length, 2);
  list.forEach((one, i) => {
    bytes.writeInt32BE(one, 4 + 4 * i);
  });
  return bytes;
};

function filter(bytes: Buffer, isViewOnly: boolean, step = bytes.length) {
  const messages = new ClientMessageFilter(isViewOnly);
  const forward: Buffer[] = [];
  let hasInput = false;
  for (let at = 0; at < bytes.length; at += step) {
    const part = messages.receive(bytes.subarray(at, at + step));
    if (part === null) return null;
    forward.push(part.forward);
    hasInput ||= part.hasInput;
  }
  return { forward: Buffer.concat(forward), hasInput };
}

test("who may only look sends no key, mouse, clipboard, size or reset, whole and byte by byte", () => {
  const looking = [Buffer.alloc(20), encodings(7, -239), UPDATE, FENCE];
  const doing = [KEY, POINTER, CUT, CUT_EXTENDED, QEMU_KEY, RESIZE, Buffer.of(250, 0, 1, 2)];
  const mixed = Buffer.concat([...looking, ...doing, ...looking, UPDATE, ...doing, UPDATE]);
  const left = Buffer.concat([...looking, ...looking, UPDATE, UPDATE]);
  for (const step of [mixed.length, 1, 3, 7]) {
    assert.deepEqual(filter(mixed, true, step), { forward: left, hasInput: false });
    assert.deepEqual(filter(mixed, false, step), { forward: mixed, hasInput: true });
  }
  assert.deepEqual(filter(left, false), { forward: left, hasInput: false });
});

test("encodings that would make messages unreadable are not asked for", () => {
  assert.deepEqual(filter(encodings(7, -316, 1, -305), false)?.forward, encodings(7, 1));
});

test("a message that nobody knows ends the reading", () => {
  assert.equal(filter(Buffer.of(77), false), null);
  assert.equal(filter(Buffer.of(255, 9), true), null);
  assert.equal(filter(Buffer.of(2, 0, 255, 255), true), null);
});
