// The context of texts that Sallyport itself brings: predefined acls and log formats. They are known to be
// right, so a finding in them is a defect.
import type { ExpressionContext } from "../context.ts";

export function builtInContext(direction: "request" | "response"): ExpressionContext {
  const none: ReadonlySet<string> = new Set();
  return {
    direction,
    proxyName: "",
    proxyKind: "defaults",
    mode: null,
    acls: new Map(),
    stickTables: [],
    caches: [],
    names: { frontends: none, backends: none, userlists: none, resolvers: none, servers: none },
    noteServer: () => {},
    variable: () => null,
    report: ({ code, message }) => {
      throw new Error(`${code} in a built-in text: ${message}`);
    },
    readFile: () => null,
    usePatternFile: () => "unreadable",
    patternsOf: () => [],
    addPatterns: () => null,
    hasPatternFile: () => false,
    adoptAcl: (_name, adopt) => adopt(),
    deferCheck: () => {},
    httpErrorReply: () => null,
    hasHttpErrors: () => false,
    captures: { requestCount: 0, responseCount: 0, addRequestSlot: () => 0, addResponseSlot: () => 0 },
  };
}
