// HAProxy's termination state and timers in words (configuration manual, sections 8.4 and 8.5): for people
// who look at a request in the dashboard or at the demo's requests and do not have the manual at hand.
import type { CookieRequestFlag, CookieResponseFlag, TerminationCause, TerminationPhase } from "../stream.ts";

const CAUSES: Readonly<Record<TerminationCause, string>> = {
  "-": "both sides ended it as they should",
  C: "the client broke off the connection",
  S: "the server broke off the connection, or refused it",
  P: "it was refused here, by a rule or for a bad message",
  L: "it was answered here, no server was asked",
  R: "something was used up here: sockets, memory or ports",
  I: "a fault of our own",
  D: "its server was found to be down",
  U: "a server came up that is preferred to its own",
  K: "an administrator ended it",
  c: "the client was silent for too long",
  s: "the server was silent for too long",
};

const PHASES: Readonly<Record<TerminationPhase, string>> = {
  "-": "after everything was sent",
  R: "while the request was awaited",
  Q: "while it waited in a queue",
  C: "while connecting to the server",
  H: "while the response's headers were awaited",
  D: "while data was passed on",
  L: "while the last data went to the client",
  T: "while it was kept waiting by a tarpit rule",
};

const COOKIES_BROUGHT: Readonly<Record<CookieRequestFlag, string>> = {
  "-": "no persistence cookie is used",
  N: "the client brought no cookie",
  I: "the cookie named no server of this backend",
  D: "the cookie named a server that is down",
  V: "the cookie named a usable server",
  E: "the cookie was too old",
  O: "the cookie's first date was too old",
  U: "a cookie came, but another rule chose the server",
};

const COOKIES_GIVEN: Readonly<Record<CookieResponseFlag, string>> = {
  "-": "no persistence cookie is used",
  N: "the response had no cookie, and got none",
  P: "the server gave a cookie, which went on as it was",
  I: "a cookie was added",
  R: "the server's cookie was rewritten",
  U: "the cookie's date was renewed",
  D: "the server's cookie was taken out",
};

/** What is told of a request in one glance, where its two letters are a well-known case. */
const ENDINGS: Readonly<Record<string, string>> = {
  SC: "no connection to the server",
  sC: "the server did not take the connection in time",
  SH: "the server broke off",
  SD: "the server broke off",
  sH: "the server took too long",
  sD: "the server was silent for too long",
  sQ: "no server was free in time",
  SQ: "too many wait already",
  cR: "the client did not finish its request in time",
  cD: "the client was silent",
  CD: "the client left",
  CH: "the client left",
  CR: "the client left",
  CC: "the client left",
  CQ: "the client left",
  PR: "refused here",
  PH: "the server's response was refused here",
  PT: "refused here, after a while in the tarpit",
  LR: "answered here",
  LH: "answered here",
  KD: "ended by an administrator",
};

/** What became of the persistence cookie: what the client brought, and what it was given. */
const COOKIE_STORIES: Readonly<Record<string, string>> = {
  NI: "new visitor, gets a cookie",
  VN: "stays by its cookie",
  DI: "its server is out: moved, gets a new cookie",
  DN: "its server is out: moved",
  II: "unknown cookie, gets a new one",
  VI: "gets a new cookie",
  VU: "its cookie is renewed",
  EI: "cookie too old, gets a new one",
  OI: "cookie too old, gets a new one",
};

/** One short sentence without full stop; "" when it ended as it should. `state`: "--NI" or "SC". */
export function describeEnding(state: string): string {
  const letters = state.slice(0, 2);
  if (letters === "--") return "";
  const cause = CAUSES[letters[0] as TerminationCause];
  const phase = PHASES[letters[1] as TerminationPhase];
  return ENDINGS[letters] ?? (cause === undefined || phase === undefined ? "" : `${cause}, ${phase}`);
}

/** "" when there is nothing to say. `state`: "--NI". */
export function describePersistence(state: string): string {
  return COOKIE_STORIES[state.slice(2)] ?? "";
}

/** Each letter by itself, as many as there are; a letter that is none is left out. */
export function describeTermination(state: string): { readonly letter: string; readonly meaning: string }[] {
  return [CAUSES, PHASES, COOKIES_BROUGHT, COOKIES_GIVEN].flatMap(
    (table: Readonly<Record<string, string>>, i) => {
      const letter = state[i] ?? "";
      const meaning = table[letter];
      return meaning === undefined ? [] : [{ letter, meaning }];
    },
  );
}

/** HAProxy's timers, in the order of a request's life. */
export const TIMER_WORDS: Readonly<Record<"Ti" | "TR" | "Tw" | "Tc" | "Tr" | "Td", string>> = {
  Ti: "the connection was idle before the request, TLS handshake included on a new one",
  TR: "the client sent its request's headers",
  Tw: "it waited in queues for a free server",
  Tc: "the connection to the server was made",
  Tr: "the server took until its response's headers were there",
  Td: "the rest: the response was passed on",
};
