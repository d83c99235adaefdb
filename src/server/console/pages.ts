// What browsers are served: two pages for consoles, one to log in, and the files of noVNC and xterm.js as
// they are in their packages. No script or style stands inside a page, nothing comes from another host, and
// every answer says so to the browser (Content-Security-Policy).
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PAGE_SCRIPT, SERIAL_SCRIPT, STYLE, VNC_SCRIPT } from "./page-scripts.ts";

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

/** Which buttons a page has, by id: its label, and what else is to be said of it. */
type Buttons = Readonly<Record<string, { readonly label: string; readonly more?: string }>>;

const FULL_SCREEN = { label: "Full screen", more: 'aria-pressed="false"' };
const NEEDS_LINE = "data-needs-line disabled";

export function vncPage(isViewOnly: boolean): Page {
  const scale = { label: "Fit to window", more: 'aria-pressed="true"' };
  const keys = {
    keys: { label: "Ctrl+Alt+Del", more: NEEDS_LINE },
    type: { label: "Type the clipboard", more: NEEDS_LINE },
  };
  return consolePage("vnc", "", { ...(isViewOnly ? {} : keys), scale, full: FULL_SCREEN });
}

export function serialPage(isViewOnly: boolean): Page {
  const typing = {
    paste: { label: "Paste", more: NEEDS_LINE },
    size: { label: "Send size (stty)", more: NEEDS_LINE },
  };
  return consolePage("serial", `<link rel="stylesheet" href="/xterm/xterm.css">`, {
    copy: { label: "Copy" },
    ...(isViewOnly ? {} : typing),
    full: FULL_SCREEN,
  });
}

function consolePage(kind: "vnc" | "serial", links: string, buttons: Buttons): Page {
  const nonce = randomBytes(16).toString("base64");
  const tools = Object.entries(buttons).map(
    ([id, { label, more = "" }]) => `<button type="button" id="${id}" ${more}>${label}</button>`,
  );
  return page(
    `script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data: blob:; connect-src 'self'; form-action 'none'`,
    "Console",
    `${links}<script type="module" id="script" nonce="${nonce}" src="/${kind}.js"></script>`,
    `<header><h1 id="name">Console</h1><p id="message" role="status">Connecting…</p>
<div id="tools" role="toolbar" aria-label="Console">${tools.join("\n")}</div>
<p id="hint">Ctrl+Alt+Shift leads out of the console, to the buttons.</p></header>
<main id="console" aria-label="${kind === "vnc" ? "Screen" : "Serial line"} of the machine" aria-describedby="hint"></main>`,
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
