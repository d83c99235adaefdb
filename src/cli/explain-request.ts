// `sallyport explain request`: which way a request would take through an haproxy.cfg, and which lines decide
// it. Nothing is sent and nothing has to run.
import { hostname } from "node:os";
import { explainRequest } from "../proxy/explain/explain-request.ts";
import { namesOfCertificates } from "../server/explain/certificate-names.ts";
import { readRequestQuestion } from "../server/explain/request-question.ts";
import { readProxyFiles } from "../server/proxy-files.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { diagnosticsText } from "./print-diagnostics.ts";
import { requestTraceText } from "./request-trace-text.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport explain request FILE… URL [options]

Says what would become of a request: the listener and certificate, each rule that is tried and why it matches or not,
the backend, the server and why it is that one, the request as the server gets it, the answer as the client gets it, and
what the log says. Each with the line that decides. Nothing is sent, nothing has to run: all servers are taken to be up,
and their answer is the one assumed. What answers is the program that serves, run on nothing.

URL is http://, https:// (also ws://, wss://), or tcp://HOST:PORT and tls://HOST:PORT for a connection alone. Its name
is not looked up: any listener with its port will do, unless it is an address.

Options:
  -H, --header 'NAME: VALUE'    a header of the request; an empty value takes it away; may be repeated
  -X, --method METHOD           GET, or POST with a body
  --body-bytes N                length of the request's body
  --from ADDRESS[:PORT]         the client (default: 198.51.100.7)
  --to ADDRESS                  the address that it reached, where listeners have different ones
  --down SERVER                 this server, or BACKEND/SERVER, is down; may be repeated
  --response-status STATUS      what the server answers (default: 200 OK)
  --response-header 'NAME: VALUE'  with this header; may be repeated
  --brief                       only what decides
  --full                        everything: options, log line, all patterns
  --json                        as data
  -h, --help                    show this

Examples:
  sallyport explain request haproxy.cfg https://company.com/login
  sallyport explain request haproxy.cfg https://company.com/login -H 'Cookie: SERVERID=B' --down WEB-002
  sallyport explain request haproxy.cfg http://company.com/upload -X PUT --body-bytes 1000 --full

Exit codes: 0 a server or one of our own pages answers, 1 nobody does, or the question or the file is wrong.
`;

const GOOD: ReadonlySet<string> = new Set([
  "forwarded",
  "response-replaced",
  "connected",
  "accepted",
  "answered",
  "denied",
]);

export async function explainRequestCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const complain = (message: string, help: string | null = null): 1 =>
    complainOfUsage(terminal, "explain request", message, help);
  const reading = readCommandLine(args, OPTIONS);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  if (reading.kind === "wrong") return complain(reading.message, reading.help);
  const { line } = reading;
  const { words } = line;
  const url = words.at(-1);
  const files = words.slice(0, -1);
  if (url === undefined) return complain("which file, and which URL?");
  if (files.length === 0) return complain(`which URL, or which file? There is only ${url}`);
  if (line.has("brief") && line.has("full")) return complain("--brief and --full exclude each other");
  const asked = readRequestQuestion({
    url,
    method: line.valueOf("method"),
    headers: line.valuesOf("header"),
    bodyBytes: line.valueOf("body-bytes"),
    from: line.valueOf("from"),
    to: line.valueOf("to"),
    down: line.valuesOf("down"),
    responseStatus: line.valueOf("response-status"),
    responseHeaders: line.valuesOf("response-header"),
  });
  if (asked.kind === "wrong") return complain(asked.message);
  const { configuration, diagnostics, sources } = readProxyFiles(files, process.env);
  if (configuration === null) {
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    terminal.error(diagnosticsText(errors, sources, terminal.isErrorColour));
    return 1;
  }
  const trace = explainRequest(configuration, asked.question, {
    nowMs: Date.now(),
    hostname: hostname(),
    pid: process.pid,
    processVariables: process.env,
    certificateNames: namesOfCertificates(configuration),
  });
  if ("kind" in trace) return complain(trace.message);
  const level = line.has("brief") ? "brief" : line.has("full") ? "full" : "normal";
  if (line.has("json")) terminal.write(`${JSON.stringify(trace, null, 2)}\n`);
  else
    terminal.write(
      requestTraceText(trace, { level, isColour: terminal.isColour, columns: terminal.columns }),
    );
  return GOOD.has(trace.disposition) ? 0 : 1;
}

const OPTIONS = [
  { name: "header", letter: "H", takesValue: true },
  { name: "method", letter: "X", takesValue: true },
  ...["body-bytes", "from", "to", "down", "response-status", "response-header"].map((name) => ({
    name,
    takesValue: true,
  })),
  ...["brief", "full", "json"].map((name) => ({ name, takesValue: false })),
];
