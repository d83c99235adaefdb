// What the proxy's own JavaScript costs for one small keep-alive request, without kernel and engine: a whole
// ProxyCore on an engine that does nothing, with rules, cookie persistence, counters and a log line. The
// budget is 1.5 µs.
//   bin/node-26 --max-inlined-bytecode-size-cumulative=2000 [--cpu-prof] bench/micro/exchange.ts
// as workers run (server/worker-process.ts); without that budget it is a tenth dearer.
import { answerAll, deliver, measure, openClient, SilentEngine, startSilentProxy } from "./silent-proxy.ts";

const REQUEST = Buffer.from("GET /small HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
const CONNECTIONS = 64;
const REQUESTS = 400_000;

const engine = new SilentEngine();
const proxy = startSilentProxy(engine);
const clients = Array.from({ length: CONNECTIONS }, () => openClient(proxy));
measure(proxy, REQUESTS, (count) => {
  for (let i = 0; i < count; i++) {
    engine.nowMs += 0.01;
    deliver(engine, clients[i % CONNECTIONS]!, REQUEST);
    engine.turn();
    answerAll(engine);
  }
});
