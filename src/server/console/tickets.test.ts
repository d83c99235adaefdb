import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  clientAddress,
  ensureTicketKeys,
  issueTicket,
  readTicketKeys,
  rotateTicketKeys,
  TICKET_LIFE_MS,
  TicketBook,
  type TicketClaims,
} from "./tickets.ts";

const folder = mkdtempSync(join(tmpdir(), "sallyport-tickets-"));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, "consoles.key");
ensureTicketKeys(path);

const CLAIMS: TicketClaims = {
  user: "anna",
  machine: "web-001",
  kind: "vnc",
  isViewOnly: false,
  client: "192.0.2.1",
  origin: "https://consoles.company.com",
};
const NOW = 1_000_000;
const issue = () => issueTicket(CLAIMS, readTicketKeys(path), NOW);
const book = () => new TicketBook(() => readTicketKeys(path), NOW);
const redeem = (tickets: TicketBook, text: string, change: Partial<TicketClaims> = {}, nowMs = NOW) =>
  tickets.redeem(text, change.client ?? CLAIMS.client, change.origin ?? CLAIMS.origin, nowMs);

test("a ticket is good once, for sixty seconds", () => {
  const tickets = book();
  const ticket = issue();
  assert.equal(redeem(tickets, ticket, {}, NOW + TICKET_LIFE_MS)?.machine, "web-001");
  assert.equal(redeem(tickets, ticket), null, "used");
  assert.equal(redeem(tickets, issue(), {}, NOW + TICKET_LIFE_MS + 1), null, "expired");
  assert.equal(redeem(tickets, issue(), {}, NOW - 1), null, "from the future");
});

test("a clock that goes ahead and comes back makes no used ticket good again", () => {
  const tickets = book();
  const ticket = issue();
  assert.notEqual(redeem(tickets, ticket), null);
  redeem(tickets, "x", {}, NOW + 10 * TICKET_LIFE_MS);
  assert.equal(redeem(tickets, ticket), null);
  const later = issueTicket(CLAIMS, readTicketKeys(path), NOW + 1);
  assert.notEqual(redeem(tickets, later, {}, NOW + 1), null, "those from then on are good");
});

test("a session is resumed once, by one of its tickets, and not after its end", () => {
  const tickets = book();
  const resuming = (session: string) =>
    issueTicket({ ...CLAIMS, resumes: { session, startedMs: 5 } }, readTicketKeys(path), NOW);
  const [first, second, other] = [resuming("a"), resuming("a"), resuming("b")];
  assert.equal(redeem(tickets, first)?.resumes?.startedMs, 5);
  assert.equal(redeem(tickets, second), null);
  tickets.endSession("b", NOW);
  assert.equal(redeem(tickets, other), null);
});

test("after a restart no ticket from before is good, for it may have been used", () => {
  const restarted = new TicketBook(() => readTicketKeys(path), NOW + 1);
  assert.equal(redeem(restarted, issue(), {}, NOW + 2), null);
});

test("a ticket from another address or page is refused, and still good for its owner", () => {
  const tickets = book();
  const ticket = issue();
  assert.equal(redeem(tickets, ticket, { client: "192.0.2.2" }), null);
  assert.equal(redeem(tickets, ticket, { origin: "https://evil.example" }), null);
  assert.notEqual(redeem(tickets, ticket), null);
});

test("no character of a ticket can be changed", () => {
  const tickets = book();
  const ticket = issue();
  for (let at = 0; at < ticket.length; at++) {
    const other = ticket[at] === "A" ? "B" : "A";
    assert.equal(redeem(tickets, ticket.slice(0, at) + other + ticket.slice(at + 1)), null, `at ${at}`);
  }
  for (const wrong of ["", ".", "a.b", `${ticket}A`, `${ticket}.`, `${ticket}=`, "x".repeat(10_000)])
    assert.equal(redeem(tickets, wrong), null);
  assert.notEqual(redeem(tickets, ticket), null);
});

test("a rotated key signs at once; the one before is taken, the one before that no longer", () => {
  const tickets = book();
  const [first, second] = [issue(), issue()];
  rotateTicketKeys(path);
  assert.notEqual(redeem(tickets, first), null);
  assert.notEqual(redeem(tickets, issue()), null);
  rotateTicketKeys(path);
  assert.equal(redeem(tickets, second), null);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a file with other things than keys is refused and left alone", () => {
  const other = join(folder, "other");
  writeFileSync(other, "my poems\n");
  assert.throws(() => ensureTicketKeys(other), /other things/);
  assert.equal(readFileSync(other, "utf8"), "my poems\n");
});

test("an IPv4 client is the same through a socket of IPv6", () => {
  assert.equal(clientAddress("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(clientAddress("2001:db8::1"), "2001:db8::1");
});
