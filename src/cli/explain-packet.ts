// `sallyport explain FILE FROM to TO`: the way of a packet through a datacentre. Where it ends at an edge's
// load balancer, the way goes on through its rules.
import { writeFileSync } from "node:fs";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import type { Trace, TraceLevel } from "../model/trace.ts";
import { compileNetwork, explain } from "../network/explain/explain.ts";
import { needRouter } from "../network/explain/need-router.ts";
import { tracePcap } from "../network/explain/trace-pcap.ts";
import { traceJson, traceText } from "../network/explain/trace-text.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { loadUsable } from "./datacenter-file.ts";
import { readPacketWords } from "./explain-words.ts";
import { colour, type Terminal } from "./terminal.ts";

const ARRIVES: ReadonlySet<string> = new Set(["delivered", "load-balanced", "answered-by-router"]);

export async function explainPacket(args: readonly string[], terminal: Terminal): Promise<number> {
  const switches = ["back", "brief", "full", "json"].map((name) => ({ name, takesValue: false }));
  const reading = readCommandLine(args, [...switches, { name: "pcap", takesValue: true }]);
  const complain = (message: string, help: string | null = null): 1 =>
    complainOfUsage(terminal, "explain", message, help);
  if (reading.kind !== "read")
    return reading.kind === "wrong" ? complain(reading.message, reading.help) : complain("explain what?");
  const { line } = reading;
  const [file = "", ...words] = line.words;
  const asked = readPacketWords(words);
  if (asked.kind === "wrong") return complain(asked.message, asked.help);
  if (line.has("brief") && line.has("full")) return complain("--brief and --full exclude each other");
  const usable = loadUsable(file, terminal);
  if (usable === null) return 1;
  const network = compileNetwork(usable.resolved, usable.loadBalancerBinds);
  if (asked.kind === "pair") {
    const answer = needRouter(network, asked.first, asked.second);
    if (answer.kind === "unclear") return complain(answer.message, suggestWord(answer.name, answer.known));
    terminal.write(`${answer.text}\n`);
    return 0;
  }
  const trace = explain(network, asked.question, { back: line.has("back") });
  if ("kind" in trace) return complain(trace.message, suggestWord(trace.name, trace.known));
  const pcap = line.valueOf("pcap");
  if (pcap !== null) {
    try {
      writeFileSync(pcap, tracePcap(trace));
    } catch (error) {
      return complain(`cannot write ${pcap}: ${(error as Error).message}`);
    }
  }
  if (line.has("json")) terminal.write(`${JSON.stringify(traceJson(trace), null, 2)}\n`);
  else
    terminal.write(
      textOf(trace, line.has("brief") ? "brief" : line.has("full") ? "full" : "normal", terminal),
    );
  const isBack = trace.back === null || ARRIVES.has(trace.back.disposition);
  return ARRIVES.has(trace.there.disposition) && isBack ? 0 : 1;
}

function textOf(trace: Trace, level: TraceLevel, terminal: Terminal): string {
  const roles = { title: "title", good: "good", bad: "error", place: "place", faint: "faint" } as const;
  return traceText(trace, { level, paint: (role, text) => colour(terminal.isColour, roles[role], text) });
}
