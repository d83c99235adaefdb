// The line that an agent answers with: "up 50%", "drain", "maxconn:30", "down #disk full". Words in any
// order, the last one of a kind counts. HAProxy 2.6 manual, `agent-check`.

import type { CheckResult } from "./check-result.ts";

export interface AgentReply {
  readonly health: "up" | "down" | "stopped" | "fail" | null;
  /** The health word as the agent wrote it. */
  readonly healthWord: string;
  readonly admin: "ready" | "drain" | "maint" | null;
  /** "75%". */
  readonly weight: string | null;
  readonly maxconn: string | null;
  /** Behind "#". */
  readonly description: string;
  /** First word that means nothing; "" when all do. */
  readonly unknownWord: string;
}

/** Null while no end of line has come. */
export function parseAgentReply(text: string): AgentReply | null {
  const end = text.search(/[\r\n]/);
  if (end < 0) return null;
  const line = text.slice(0, end);
  const sharp = line.search(/(?:^|[ \t,])#/);
  const words = sharp < 0 ? line : line.slice(0, sharp);
  const description = sharp < 0 ? "" : line.slice(line.indexOf("#", sharp) + 1).replace(/^[ \t]+/, "");
  let reply: AgentReply = {
    health: null,
    healthWord: "",
    admin: null,
    weight: null,
    maxconn: null,
    description,
    unknownWord: "",
  };
  for (const word of words.split(/[ \t,]+/)) if (word !== "") reply = { ...reply, ...readWord(word, reply) };
  return reply;
}

function readWord(word: string, before: AgentReply): Partial<AgentReply> {
  const lower = word.toLowerCase();
  if (lower === "up" || lower === "down" || lower === "stopped" || lower === "fail")
    return { health: lower, healthWord: word };
  if (lower === "ready" || lower === "drain" || lower === "maint") return { admin: lower };
  if (/^\d/.test(word) && word.includes("%")) return { weight: word };
  if (lower.startsWith("maxconn:")) return { maxconn: word.slice("maxconn:".length) };
  return before.unknownWord === "" ? { unknownWord: word } : {};
}

/** What an agent's reply counts as. A description and complaints go into the text as HAProxy puts them. */
export function agentResult(reply: AgentReply, warning: string | null, durationMs: number): CheckResult {
  const complaint = reply.unknownWord !== "" ? reply.unknownWord : (warning ?? "");
  if (reply.health === null) {
    const prefix = reply.unknownWord !== "" ? "agent reports an error : " : "agent warns : ";
    return {
      status: "CHECKED",
      code: 0,
      description: complaint === "" ? "" : prefix + complaint,
      durationMs,
    };
  }
  const prefersComplaint = complaint !== "" && (reply.description === "" || reply.health === "up");
  const message = prefersComplaint ? complaint : reply.description;
  const description = `via agent : ${reply.healthWord}${message === "" ? "" : ` (${message})`}`;
  return { status: reply.health === "up" ? "L7OK" : "L7STS", code: 0, description, durationMs };
}
