// What browsers are served: two pages for consoles, one to log in, and the files of noVNC and xterm.js as
// they are in their packages. No script or style stands inside a page, nothing comes from another host, and
// every answer says so to the browser (Content-Security-Policy).
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Page {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

const PAGE_SCRIPT = `// What both pages share: the ticket leaves the address bar, and what happens is told.
export function openConsole() {
  const ticket = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
  const url = new URL("/socket", location.href);
  url.protocol = "wss:";
  const socket = new WebSocket(url, ["sallyport.console", ticket]);
  socket.binaryType = "arraybuffer";
  let wasOpen = false;
  socket.addEventListener("open", () => { wasOpen = true; tell("", "open"); });
  socket.addEventListener("close", ({ reason }) => tell(reason ||
    (wasOpen ? "The console is closed." : "This link is no longer good. Ask for a new one."), "closed"));
  return socket;
}
export function tell(text, state) {
  const place = document.getElementById("message");
  place.textContent = text;
  document.documentElement.dataset.state = state;
}
export const isViewOnly = new URLSearchParams(location.search).has("view-only");
`;

const VNC_SCRIPT = `import RFB from "/novnc/core/rfb.js";
import { isViewOnly, openConsole } from "/page.js";
const rfb = new RFB(document.getElementById("console"), openConsole(), { shared: true });
rfb.viewOnly = isViewOnly;
rfb.scaleViewport = true;
rfb.addEventListener("connect", () => rfb.focus());
const keys = document.getElementById("keys");
keys.hidden = isViewOnly;
keys.addEventListener("click", () => { rfb.sendCtrlAltDel(); rfb.focus(); });
`;

const SERIAL_SCRIPT = `import { Terminal } from "/xterm/xterm.mjs";
import { isViewOnly, openConsole } from "/page.js";
// xterm.js writes its colours into style elements; with the page's nonce the browser takes them.
const { nonce } = document.getElementById("script");
const create = document.createElement.bind(document);
document.createElement = (name, options) => {
  const element = create(name, options);
  if (name === "style") element.nonce = nonce;
  return element;
};
const terminal = new Terminal({ disableStdin: isViewOnly, scrollback: 5000, screenReaderMode: true });
terminal.open(document.getElementById("console"));
const socket = openConsole();
socket.addEventListener("open", () => terminal.focus());
socket.addEventListener("message", ({ data }) => terminal.write(new Uint8Array(data)));
const encoder = new TextEncoder();
terminal.onData((text) => { if (socket.readyState === 1) socket.send(encoder.encode(text)); });
terminal.onBinary((text) => {
  if (socket.readyState === 1) socket.send(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
});
`;

const STYLE = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; height: 100vh; display: flex; flex-direction: column; }
header { display: flex; gap: 1rem; align-items: center; padding: 0.25rem 1rem; min-height: 2.5rem; }
h1 { font-size: 1rem; margin: 0; }
#message { flex: 1; }
#console { flex: 1; min-height: 0; overflow: hidden; background: #000; }
form { display: grid; gap: 1rem; width: min(20rem, 90vw); margin: 10vh auto; }
label { display: grid; gap: 0.25rem; }
label.beside { display: flex; gap: 0.5rem; }
input, select, button { font: inherit; padding: 0.4rem; }
[hidden] { display: none; }
`;

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#468" d="M1 2h14v10H1z"/><path fill="none" stroke="#fff" d="m4 5 2 2-2 2m4 0h3"/></svg>`;

/** The files that are served as they are, by path: read once, so that no path of a request meets the disk. */
export function readAssets(): ReadonlyMap<string, Page> {
  const assets = new Map<string, Page>();
  const add = (path: string, body: string | Buffer) =>
    assets.set(path, { headers: { "content-type": TYPES[extname(path)]!, ...CACHED }, body });
  add("/page.js", PAGE_SCRIPT);
  add("/vnc.js", VNC_SCRIPT);
  add("/serial.js", SERIAL_SCRIPT);
  add("/page.css", STYLE);
  add("/icon.svg", ICON);
  const novnc = fileURLToPath(new URL("..", import.meta.resolve("@novnc/novnc")));
  for (const folder of ["core", "vendor"]) {
    for (const name of readdirSync(join(novnc, folder), { recursive: true, encoding: "utf8" }))
      if (extname(name) === ".js") add(`/novnc/${folder}/${name}`, readFileSync(join(novnc, folder, name)));
  }
  const xterm = new URL("./", import.meta.resolve("@xterm/xterm/lib/xterm.mjs"));
  add("/xterm/xterm.mjs", readFileSync(new URL("xterm.mjs", xterm)));
  add("/xterm/xterm.css", readFileSync(new URL("../css/xterm.css", xterm)));
  return assets;
}

const CACHED = { "cache-control": "max-age=3600" };
const SECURITY = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

export function vncPage(): Page {
  return consolePage("vnc", "", `<button type="button" id="keys">Ctrl+Alt+Del</button>`);
}

export function serialPage(): Page {
  return consolePage("serial", `<link rel="stylesheet" href="/xterm/xterm.css">`, "");
}

function consolePage(kind: "vnc" | "serial", links: string, buttons: string): Page {
  const nonce = randomBytes(16).toString("base64");
  return page(
    `script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data: blob:; connect-src 'self'; form-action 'none'`,
    "Console",
    `${links}<script type="module" id="script" nonce="${nonce}" src="/${kind}.js"></script>`,
    `<header><h1>Console</h1><p id="message" role="status">Connecting…</p>${buttons}</header>
<main id="console"></main>`,
  );
}

export interface LoginPageOptions {
  /** Null: asks for name and password. */
  readonly user: string | null;
  readonly complaint: string;
  readonly proxyOrigin: string;
}

export function loginPage({ user, complaint, proxyOrigin }: LoginPageOptions): Page {
  const who =
    user === null
      ? `<label>Name <input name="user" autocomplete="username" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>`
      : `<p>Signed on as ${escaped(user)}</p>`;
  return page(
    // The answer to the form leads to the console, which is another origin.
    `style-src 'self'; img-src 'self'; form-action 'self' ${proxyOrigin}`,
    "Consoles",
    "",
    `<main><form method="post" action="/">
<h1>Consoles</h1>
<p id="message" role="alert">${escaped(complaint)}</p>
${who}
<label>Machine <input name="machine" required></label>
<label>Console <select name="kind"><option value="vnc">Screen</option><option value="serial">Serial line</option></select></label>
<label class="beside"><input type="checkbox" name="view-only" value="yes"> Look only</label>
<button>Open</button>
</form></main>`,
  );
}

function page(policy: string, title: string, head: string, body: string): Page {
  return {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": `default-src 'none'; ${policy}; base-uri 'none'; frame-ancestors 'none'`,
    },
    body: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/page.css">${head}</head>
<body>${body}</body></html>
`,
  };
}

/** The headers that every answer has. */
export function withSecurity(headers: Readonly<Record<string, string>>): Record<string, string> {
  return { ...SECURITY, ...headers };
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
