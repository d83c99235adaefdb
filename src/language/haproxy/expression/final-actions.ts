// Reads the actions that end the evaluation of rules: replies, refusals, redirects. HAProxy 2.6 manual,
// section 4.2.
import type { Action, ReplyDefinition } from "../../../model/rule.ts";
import { readRedirect } from "./redirect-parser.ts";
import { ERROR_FILE_STATUSES, readReply } from "./reply-parser.ts";
import { quote } from "./report.ts";
import type { ActionReader, RuleLine } from "./rule-line.ts";

export const readAllow: ActionReader = () => ({ kind: "allow" });
export const readAccept: ActionReader = () => ({ kind: "accept" });
export const readReject: ActionReader = () => ({ kind: "reject" });
export const readSilentDrop: ActionReader = () => ({ kind: "silent-drop" });
export const readClose: ActionReader = () => ({ kind: "close" });

/** `switch-mode http [proto h1|h2]`. Without `proto`, who speaks HTTP/2 is known by its preface. */
export const readSwitchMode: ActionReader = (line) => {
  const mode = line.expect("`http`");
  if (mode === null) return null;
  if (mode.text !== "http")
    return line.error(
      "unknown-word",
      mode.span,
      `a connection can switch to \`http\` only, not to ${quote(mode.text)}`,
    );
  if (line.context.proxyKind === "backend")
    return line.error(
      "misplaced-rule",
      line.name.span,
      "a backend is chosen too late to switch",
      "Move the rule to the frontend.",
    );
  if (line.take("proto") === null) return { kind: "switch-mode", protocol: null };
  const protocol = line.expect("a protocol");
  if (protocol === null) return null;
  if (protocol.text === "h1" || protocol.text === "h2")
    return { kind: "switch-mode", protocol: protocol.text };
  return line.error(
    "unknown-word",
    protocol.span,
    `${quote(protocol.text)} is not spoken with clients`,
    "`h1` and `h2` are.",
  );
};

export const readRedirectAction: ActionReader = readRedirect;

export const readReturn: ActionReader = (line) => {
  const reply = readReply(line, 200);
  return reply === null ? null : { kind: "return", reply };
};

/** `deny` and `tarpit`: 403 for a request, 502 for a response, 500 for a tarpit, unless a status is given. */
export function readDeny(line: RuleLine, kind: "deny" | "tarpit"): Action | null {
  const defaultStatus = kind === "tarpit" ? 500 : line.stage === "response" ? 502 : 403;
  const reply = readDenyReply(line, defaultStatus);
  return reply === null ? null : { kind, reply };
}

/**
 * Without arguments, or with `deny_status` alone, the proxy's error replies are used; else as in `return`.
 */
function readDenyReply(line: RuleLine, defaultStatus: number): ReplyDefinition | null {
  if (line.peek() === null) return { status: defaultStatus, content: null, headers: [] };
  if (line.take("deny_status") === null) return readReply(line, defaultStatus);
  const word = line.expect("a status");
  if (word === null) return null;
  const status = /^\d{3}$/.test(word.text) ? Number(word.text) : 0;
  if (line.peek() === null) {
    if (ERROR_FILE_STATUSES.includes(status)) return { status, content: null, headers: [] };
    const help = `Possible: ${ERROR_FILE_STATUSES.join(", ")}.`;
    return line.error(
      "bad-status",
      word.span,
      `there is no error reply for status ${quote(word.text)}`,
      help,
    );
  }
  if (status < 200 || status > 599)
    return line.error("bad-status", word.span, `${quote(word.text)} is not a status from 200 to 599`);
  return readReply(line, status);
}

export const readAuth: ActionReader = (line) => {
  if (line.take("realm") === null) return { kind: "auth", realm: null };
  const word = line.expect("the realm");
  if (word === null) return null;
  // HAProxy takes the realm as it is, percent signs included.
  const realm = { parts: [{ kind: "text", text: word.text } as const], text: word.text, span: word.span };
  return { kind: "auth", realm };
};

export const readUseService: ActionReader = (line) => {
  const word = line.expect("the name of a service");
  if (word === null) return null;
  if (word.text === "prometheus-exporter") return { kind: "use-service", service: "prometheus-exporter" };
  const isLua = word.text.startsWith("lua.");
  const message = isLua ? "Lua is not there" : `there is no service ${quote(word.text)}`;
  return line.error(
    isLua ? "unsupported-rule" : "unknown-service",
    word.span,
    message,
    "The one service is `prometheus-exporter`.",
  );
};
