// `sallyport explain FILE FROM to TO`: the way of a packet through a datacentre. Where it ends at an edge's
// load balancer, the way goes on through its rules.
import { writeFileSync } from "node:fs";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import type { Trace, TraceLevel } from "../model/trace.ts";
import { compileNetwork, explain } from "../network/explain/explain.ts";
import { needRouter } from "../network/explain/need-router.ts";
import { tracePcap } from "../network/explain/trace-pcap.ts";
import { traceJson, traceText } from "../network/explain/trace-text.ts";
import { type Beyond, goBeyond } from "../server/explain/beyond-balancer.ts";
import { readPacketWords } from "../server/explain/packet-words.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { loadUsable } from "./datacenter-file.ts";
import { requestTraceText } from "./request-trace-text.ts";
import { colour, type Terminal } from "./terminal.ts";

const ARRIVES: ReadonlySet<string> = new Set(["delivered", "load-balanced", "answered-by-router"]);

export async function explainPacket(args: readonly string[], terminal: Terminal): Promise<number> {
  const switches = ["back", "brief", "full", "json"].map((name) => ({ name, takesValue: false }));
  const reading = readCommandLine(args, [
    ...switches,
    { name: "pcap", takesValue: true },
    { name: "url", takesValue: true },
    { name: "method", letter: "X", takesValue: true },
    { name: "header", letter: "H", takesValue: true },
  ]);
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
  const beyond = goBeyond(usable.loadBalancers, network, trace, {
    url: line.valueOf("url"),
    method: line.valueOf("method"),
    headers: line.valuesOf("header"),
    back: line.has("back"),
  });
  if (typeof beyond === "string") return complain(beyond);
  const level = line.has("brief") ? "brief" : line.has("full") ? "full" : "normal";
  if (line.has("json")) terminal.write(`${JSON.stringify(recordOf(trace, beyond), null, 2)}\n`);
  else terminal.write(textOf(trace, level, terminal) + beyondText(beyond, level, terminal));
  const paths = [trace.there, trace.back, beyond?.onward?.there ?? null, beyond?.onward?.back ?? null];
  return paths.every((path) => path === null || ARRIVES.has(path.disposition)) ? 0 : 1;
}

function recordOf(trace: Trace, beyond: Beyond | null): unknown {
  const record = traceJson(trace) as Record<string, unknown>;
  if (beyond === null) return record;
  const onward = beyond.onward === null ? null : traceJson(beyond.onward);
  return { ...record, loadBalancer: { edge: beyond.edge, request: beyond.request, onward } };
}

function beyondText(beyond: Beyond | null, level: TraceLevel, terminal: Terminal): string {
  if (beyond === null) return "";
  const { isColour, columns } = terminal;
  const title = (text: string) => `\n${colour(isColour, "title", text)}\n`;
  const request = requestTraceText(beyond.request, { level, isColour, columns });
  const head = `${title(`At the load balancer of ${beyond.edge}`)}${request}`;
  return beyond.onward === null
    ? head
    : `${head}${title("On to the server")}${textOf(beyond.onward, level, terminal)}`;
}

export function textOf(trace: Trace, level: TraceLevel, terminal: Terminal): string {
  const roles = { title: "title", good: "good", bad: "error", place: "place", faint: "faint" } as const;
  return traceText(trace, { level, paint: (role, text) => colour(terminal.isColour, roles[role], text) });
}
