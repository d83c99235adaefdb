// What the demo's web servers answer: a page for browsers, plain text for curl.

export interface Visit {
  readonly server: string;
  /** Value of the cookie that leads to this server. */
  readonly cookie: string;
  /** CSS colour. */
  readonly colour: string;
  readonly requestCount: number;
  readonly upSeconds: number;
  readonly requestLine: string;
  readonly headers: readonly (readonly [string, string])[];
}

export function plainPage(visit: Visit): string {
  const width = Math.max(...visit.headers.map(([name]) => name.length));
  return [
    `${visit.server} answers, request ${visit.requestCount} here.`,
    cookieSentence(visit),
    "",
    `  ${visit.requestLine}`,
    ...visit.headers.map(([name, value]) => `  ${`${name}:`.padEnd(width + 1)} ${value}`),
    "",
  ].join("\n");
}

export function htmlPage(visit: Visit): string {
  const rows = visit.headers.map(
    ([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(visit.server)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body style="--server: ${escapeHtml(visit.colour)}">
<main>
<p class="eyebrow">You have reached</p>
<h1>${escapeHtml(visit.server)}</h1>
<p>Request ${visit.requestCount} here; up for ${visit.upSeconds} s. ${escapeHtml(cookieSentence(visit))}</p>
<nav>
<button type="button" onclick="location.reload()">Reload</button>
<button type="button" id="leave" title="Without the cookie you go to the next server">Forget my cookie</button>
<button type="button" id="stop">Stop this server for 20 s</button>
<button type="button" id="echo">Talk over a WebSocket</button>
<a href="/events">Event stream</a>
<a href="/big" download="big">10 MiB</a>
</nav>
<output id="said" role="status"></output>
<h2>What reached this server</h2>
<p class="line"><code>${escapeHtml(visit.requestLine)}</code></p>
<table>${rows.join("")}</table>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function cookieSentence({ headers, cookie }: Visit): string {
  const cookies = headers.filter(([name]) => name.toLowerCase() === "cookie").map(([, value]) => value);
  const received =
    cookies.length === 0 ? "No cookie reached it" : `Cookies that reached it: ${cookies.join("; ")}`;
  return `${received}; SERVERID=${cookie} leads here and stays at the load balancer.`;
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}

const STYLE = `
:root { color-scheme: light dark; font: 17px/1.55 system-ui, sans-serif }
body { margin: 0; min-height: 100vh; background: color-mix(in srgb, var(--server) 9%, Canvas); color: CanvasText }
main { max-width: 46rem; margin: 0 auto; padding: 3.5rem 1.25rem }
h1 { margin: 0 0 .5rem; font-size: clamp(3rem, 12vw, 6rem); line-height: 1; letter-spacing: -.04em; color: var(--server) }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.05rem }
.eyebrow { margin: 0; text-transform: uppercase; letter-spacing: .12em; font-size: .75rem; opacity: .7 }
nav { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1.75rem 0 1rem }
nav > * { font: inherit; font-size: .9rem; padding: .5rem .9rem; border-radius: .6rem; cursor: pointer;
  border: 1px solid color-mix(in srgb, var(--server) 45%, transparent); background: Canvas; color: inherit; text-decoration: none }
nav > :first-child { background: var(--server); color: white; border-color: transparent }
nav > :focus-visible { outline: 3px solid var(--server); outline-offset: 2px }
output { display: block; min-height: 1.55em; white-space: pre-line; font-size: .9rem }
table { width: 100%; border-collapse: collapse; font-size: .85rem }
th, td { padding: .4rem .6rem; text-align: left; vertical-align: top; overflow-wrap: anywhere;
  border-top: 1px solid color-mix(in srgb, CanvasText 14%, transparent) }
th { width: 12rem; font-weight: 600; white-space: nowrap }
td, code { font-family: ui-monospace, monospace }
.line { margin: 0 0 .5rem; font-size: .9rem }
`;

const SCRIPT = `
const said = document.getElementById("said");
document.getElementById("leave").onclick = () => {
  document.cookie = "SERVERID=; path=/; max-age=0";
  location.reload();
};
document.getElementById("stop").onclick = async () => {
  const answer = await fetch("/stop", { method: "POST" });
  said.textContent = (await answer.text()) + "Reload: you move to another server and get its cookie.";
};
let socket = null;
document.getElementById("echo").onclick = () => {
  const text = "hello at " + new Date().toLocaleTimeString();
  if (socket !== null && socket.readyState === 1) return socket.send(text);
  socket = new WebSocket("wss://" + location.host + "/echo");
  socket.onopen = () => socket.send(text);
  socket.onmessage = (event) => { said.textContent = event.data };
  socket.onclose = () => { said.textContent = "The WebSocket is closed." };
};
`;
