// The scripts and the style of the console pages, as browsers get them: plain JavaScript for noVNC and
// xterm.js, which are served beside it as they are. Nothing here runs in this program.

/** What both pages share: the ticket, the line and its loss, and the buttons above the console. */
export const PAGE_SCRIPT = `// The line of a console: the ticket leaves the address bar at once, and a line that is lost is had again with
// the ticket that the server has sent last; it is good for a minute, and once.
const TICKET_LIFE_MS = 58_000;
const DELAYS_MS = [500, 1000, 2000, 4000, 8000];
/**
 * Closed with one of these nobody wants it open again: in order or by this page, idle, at its limit, kicked,
 * resumed elsewhere.
 */
const FINAL = [1000, 1002, 1005, 4000, 4001, 4002, 4003];
const parameters = new URLSearchParams(location.search);
export const isViewOnly = parameters.has("view-only");
const byId = (id) => document.getElementById(id);

/** attach(socket) gets each new line before it is open; detach() is told that it has gone. */
export function keepOpen({ attach, detach }) {
  let ticket = location.hash.slice(1);
  let renewedAt = null;
  let attempts = 0;
  history.replaceState(null, "", location.pathname + location.search);
  const open = () => {
    const url = new URL("/socket", location.href);
    url.protocol = "wss:";
    const socket = new WebSocket(url, ["sallyport.console", ticket]);
    socket.binaryType = "arraybuffer";
    // Before anybody else listens: text is for this page, bytes are of the console.
    socket.addEventListener("message", (event) => {
      if (typeof event.data !== "string") return;
      event.stopImmediatePropagation();
      const told = JSON.parse(event.data);
      ticket = told.ticket;
      renewedAt = performance.now();
      byId("name").textContent = told.machine;
      document.title = told.machine + " · Console";
    });
    socket.addEventListener("open", () => {
      attempts = 0;
      tell(isViewOnly ? "You may only look." : "", "open");
    });
    socket.addEventListener("close", ({ code, reason }) => {
      detach();
      lose(code, reason);
    });
    attach(socket);
  };
  const lose = (code, reason) => {
    const why = reason || (renewedAt === null ? "" : code === 1000 ? "The console is closed." : "The line was lost.");
    const isGood = renewedAt !== null && performance.now() - renewedAt < TICKET_LIFE_MS;
    if (FINAL.includes(code) || renewedAt === null) tell(why || "This link is no longer good. Ask for a new one.", "closed");
    else if (!isGood) tell(why + " It could not be had again within a minute. Open the console anew.", "closed");
    else {
      tell(why + " Trying again…", "waiting");
      setTimeout(open, DELAYS_MS[Math.min(attempts++, DELAYS_MS.length - 1)]);
    }
  };
  open();
}

export function tell(text, state = document.documentElement.dataset.state) {
  byId("message").textContent = text;
  document.documentElement.dataset.state = state;
  for (const button of document.querySelectorAll("#tools [data-needs-line]")) button.disabled = state !== "open";
}

/** A button of the page; without one, as for who may only look, nothing. */
export function onButton(id, act) {
  const button = byId(id);
  button?.addEventListener("click", () => act(button));
}

/** Text of the clipboard; null, and words that say why, when the browser does not give it. */
export async function clipboardText() {
  try {
    return await navigator.clipboard.readText();
  } catch {
    tell("The browser does not let this page read the clipboard.");
    return null;
  }
}

export async function copy(text) {
  if (text === "") return tell("Nothing is selected.");
  try {
    await navigator.clipboard.writeText(text);
    tell("Copied.");
  } catch {
    tell("The browser does not let this page write the clipboard.");
  }
}

/**
 * A console takes all keys, the tabulator too. Ctrl, Alt and Shift together lead out of it, to the buttons;
 * leave() is told, for the machine has seen them go down.
 */
export function onLeave(leave) {
  addEventListener("keydown", (event) => {
    const isModifier = event.key === "Control" || event.key === "Alt" || event.key === "Shift" || event.key === "Meta";
    if (!isModifier || !event.ctrlKey || !event.altKey || !event.shiftKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    leave();
    document.querySelector("#tools button:not([disabled])")?.focus();
  }, true);
}

onButton("full", () => {
  if (document.fullscreenElement === null)
    document.documentElement.requestFullscreen().catch(() => tell("The browser has no full screen here."));
  else document.exitFullscreen();
});
document.addEventListener("fullscreenchange", () => {
  byId("full").setAttribute("aria-pressed", String(document.fullscreenElement !== null));
});
`;

export const VNC_SCRIPT = `import RFB from "/novnc/core/rfb.js";
import { clipboardText, isViewOnly, keepOpen, onButton, onLeave } from "/page.js";
const place = document.getElementById("console");
let rfb = null;
let isScaled = true;
keepOpen({
  attach(socket) {
    rfb = new RFB(place, socket, { shared: true });
    rfb.viewOnly = isViewOnly;
    rfb.scaleViewport = isScaled;
    rfb.addEventListener("connect", () => rfb?.focus());
  },
  detach() { rfb = null; },
});
onButton("keys", () => { rfb?.sendCtrlAltDel(); rfb?.focus(); });
onButton("scale", (button) => {
  isScaled = !isScaled;
  button.setAttribute("aria-pressed", String(isScaled));
  if (rfb !== null) rfb.scaleViewport = isScaled;
});
// VNC's own clipboard needs a helper in the machine; keys need nothing, not even a network.
const SHIFTED = /[A-Z~!@#$%^&*()_+{}|:"<>?]/;
const SHIFT = 0xffe1;
onButton("type", async () => {
  const text = await clipboardText();
  for (const letter of text ?? "") {
    if (rfb === null) return;
    const code = letter.codePointAt(0);
    const key = letter === "\\n" ? 0xff0d : letter === "\\t" ? 0xff09 : code < 0x100 ? code : 0x01000000 + code;
    if (letter === "\\r") continue;
    if (SHIFTED.test(letter)) rfb.sendKey(SHIFT, "ShiftLeft", true);
    rfb.sendKey(key, null);
    if (SHIFTED.test(letter)) rfb.sendKey(SHIFT, "ShiftLeft", false);
  }
  rfb?.focus();
});
const MODIFIERS = [[0xffe3, "ControlLeft"], [0xffe4, "ControlRight"], [0xffe9, "AltLeft"], [0xffea, "AltRight"],
  [SHIFT, "ShiftLeft"], [0xffe2, "ShiftRight"]];
onLeave(() => { for (const [key, code] of MODIFIERS) rfb?.sendKey(key, code, false); });
`;

export const SERIAL_SCRIPT = `import { Terminal } from "/xterm/xterm.mjs";
import { clipboardText, copy, isViewOnly, keepOpen, onButton, onLeave } from "/page.js";
// xterm.js writes its colours into style elements; with the page's nonce the browser takes them.
const { nonce } = document.getElementById("script");
const create = document.createElement.bind(document);
document.createElement = (name, options) => {
  const element = create(name, options);
  if (name === "style") element.nonce = nonce;
  return element;
};
const place = document.getElementById("console");
const terminal = new Terminal({ disableStdin: isViewOnly, scrollback: 5000, screenReaderMode: true });
terminal.open(place);
let line = null;
let isFirst = true;
keepOpen({
  attach(socket) {
    line = socket;
    socket.addEventListener("open", () => {
      // What there was last comes again with a new line, and would stand there twice.
      if (!isFirst) terminal.reset();
      isFirst = false;
      terminal.focus();
    });
    socket.addEventListener("message", ({ data }) => terminal.write(new Uint8Array(data)));
  },
  detach() { line = null; },
});
const send = (bytes) => { if (line?.readyState === WebSocket.OPEN) line.send(bytes); };
const encoder = new TextEncoder();
terminal.onData((text) => send(encoder.encode(text)));
terminal.onBinary((text) => send(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));

/** As many letters as the window has room for. The text stays, and is wrapped anew. */
const CELLS_MIN = { columns: 20, rows: 5 };
const SCROLL_BAR_WIDTH = 14;
function fit() {
  const screen = place.querySelector(".xterm-screen");
  const width = screen.clientWidth / terminal.cols;
  const height = screen.clientHeight / terminal.rows;
  if (!(width > 0 && height > 0)) return;
  const columns = Math.max(CELLS_MIN.columns, Math.floor((place.clientWidth - SCROLL_BAR_WIDTH) / width));
  const rows = Math.max(CELLS_MIN.rows, Math.floor(place.clientHeight / height));
  if (columns !== terminal.cols || rows !== terminal.rows) terminal.resize(columns, rows);
}
new ResizeObserver(fit).observe(place);
fit();

// A serial line carries no size: the other end is told when somebody asks for it, by a command for its shell.
onButton("size", () => {
  send(encoder.encode("stty rows " + terminal.rows + " cols " + terminal.cols + "\\r"));
  terminal.focus();
});
onButton("copy", () => copy(terminal.getSelection()));
onButton("paste", async () => {
  const text = await clipboardText();
  if (text !== null) terminal.paste(text);
  terminal.focus();
});
terminal.attachCustomKeyEventHandler((event) => {
  if (!event.ctrlKey || !event.shiftKey || event.altKey) return true;
  if (event.code === "KeyC" && event.type === "keydown") {
    event.preventDefault();
    copy(terminal.getSelection());
  }
  // The browser pastes by itself.
  return event.code !== "KeyC" && event.code !== "KeyV";
});
onLeave(() => {});
`;

export const STYLE = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; height: 100vh; height: 100dvh; display: flex; flex-direction: column; }
header { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; align-items: center; padding: 0.25rem 1rem; min-height: 2.5rem; }
h1 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
#message { flex: 1; margin: 0; min-width: 8rem; }
#tools { display: flex; flex-wrap: wrap; gap: 0.25rem; }
#tools button { padding: 0.2rem 0.5rem; }
#tools button[aria-pressed="true"] { font-weight: bold; }
#hint { margin: 0; font-size: 0.8rem; }
#console { flex: 1; min-height: 0; overflow: hidden; background: #000; }
html:not([data-state="open"]) #console { opacity: 0.5; }
form { display: grid; gap: 1rem; width: min(20rem, 90vw); margin: 10vh auto; }
label { display: grid; gap: 0.25rem; }
label.beside { display: flex; gap: 0.5rem; }
input, select, button { font: inherit; padding: 0.4rem; }
[hidden] { display: none; }
`;
