// The style sheet of the statistics page. It is inline, and the page's Content-Security-Policy names its
// hash: no other style, no script and nothing from elsewhere is ever used.
import { createHash } from "node:crypto";

export const STYLE: string = `
:root {
  color-scheme: light dark;
  --ground: #f5f6f8; --panel: #ffffff; --line: #e1e5ea; --faint: #eef1f4; --text: #1b2430; --quiet: #566273;
  --accent: #1f5fbf; --up: #1a7f45; --up-ground: #e3f4e9; --warn: #8a5a00; --warn-ground: #fdf1d6; --down: #b3261e;
  --down-ground: #fce8e6; --rest: #4a5768; --rest-ground: #e9edf1; --drain: #2357a8; --drain-ground: #e4edfb;
  --queue: #b3261e; --connect: #c98a00; --response: #1f5fbf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161c; --panel: #1a2028; --line: #2c3542; --faint: #222a34; --text: #e6eaf0; --quiet: #9aa7b8;
    --accent: #7db0ff; --up: #6fd394; --up-ground: #17331f; --warn: #f0c05a; --warn-ground: #392b0c; --down: #ff8f86;
    --down-ground: #401a17; --rest: #b4c0ce; --rest-ground: #2b3440; --drain: #8fb8ff; --drain-ground: #1b2c49;
    --queue: #ff8f86; --connect: #f0c05a; --response: #7db0ff;
  }
}
* { box-sizing: border-box; }
html { font-size: clamp(14px, 0.2vw + 10.3px, 18px); -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--text); line-height: 1.45;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; font-variant-numeric: tabular-nums; }
a { color: var(--accent); text-underline-offset: 2px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
header, main, footer { padding: 0 clamp(0.75rem, 2vw, 3rem); }
header { padding-top: 1.25rem; }
h1 { font-size: 1.45rem; font-weight: 650; margin: 0; letter-spacing: -0.01em; }
h1 small { font-weight: 400; color: var(--quiet); font-size: 1rem; letter-spacing: 0; margin-left: 0.4rem; }
h2 { font-size: 1.1rem; font-weight: 650; margin: 0; overflow-wrap: anywhere; }
.about { color: var(--quiet); margin: 0.15rem 0 0; }
nav { display: flex; flex-wrap: wrap; gap: 0.4rem 1rem; margin: 0.9rem 0 0; align-items: baseline; }
nav b { font-weight: 600; }
.notice { margin: 0.9rem 0 0; padding: 0.55rem 0.8rem; border-radius: 8px; background: var(--rest-ground); color: var(--rest); }
.notice.good { background: var(--up-ground); color: var(--up); }
.notice.bad { background: var(--down-ground); color: var(--down); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.8rem, 1fr)); gap: 0.6rem; margin: 1rem 0 0; padding: 0; list-style: none; }
.tiles li { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 0.6rem 0.8rem; }
.tiles span { display: block; color: var(--quiet); font-size: 0.82rem; }
.tiles strong { font-size: 1.35rem; font-weight: 600; letter-spacing: -0.01em; }
.tiles em { display: block; font-style: normal; color: var(--quiet); font-size: 0.85rem; }
.tiles .bad strong { color: var(--down); }
.proxy { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; margin: 1.1rem 0 0; overflow: hidden; }
.proxy > .title { display: flex; flex-wrap: wrap; gap: 0.3rem 0.7rem; align-items: baseline; padding: 0.7rem 1rem 0.55rem; }
.title .tag { color: var(--quiet); font-size: 0.85rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
th, td { padding: 0.4rem 0.55rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); vertical-align: middle; }
thead th { font-weight: 500; color: var(--quiet); font-size: 0.82rem; border-top-color: var(--faint); background: var(--faint); }
th:first-child, td:first-child, .left { text-align: left; }
th:first-child { padding-left: 1rem; } td:last-child, th:last-child { padding-right: 1rem; }
tbody th { font-weight: 550; max-width: 22rem; overflow: hidden; text-overflow: ellipsis; }
tbody tr:hover { background: var(--faint); }
tr.sum th { font-weight: 500; color: var(--quiet); }
th i { font-style: normal; font-weight: 400; font-size: 0.8rem; color: var(--quiet); margin-left: 0.45rem; }
td small.below { display: block; }
td small, th small { color: var(--quiet); font-size: 0.84em; font-weight: 400; }
th small { display: block; }
td.zero { color: var(--quiet); }
td .bad { color: var(--down); font-weight: 600; }
td .warn { color: var(--warn); font-weight: 600; }
.pill { display: inline-block; padding: 0.05rem 0.55rem; border-radius: 1rem; font-size: 0.84rem; font-weight: 600;
  background: var(--rest-ground); color: var(--rest); }
.pill.up { background: var(--up-ground); color: var(--up); }
.pill.warn { background: var(--warn-ground); color: var(--warn); }
.pill.down { background: var(--down-ground); color: var(--down); }
.pill.drain { background: var(--drain-ground); color: var(--drain); }
svg.bar { display: block; width: 100%; min-width: 4.5rem; height: 4px; margin-top: 3px; border-radius: 2px; background: var(--rest-ground); }
.bar .use { fill: var(--accent); } .bar .full { fill: var(--down); } .bar .most { fill: var(--quiet); }
.bar .q { fill: var(--queue); } .bar .c { fill: var(--connect); } .bar .r { fill: var(--response); } .bar .t { fill: var(--quiet); }
.admin { display: flex; flex-wrap: wrap; gap: 0.6rem; align-items: center; padding: 0.6rem 1rem; border-top: 1px solid var(--line); background: var(--faint); }
select, button { font: inherit; padding: 0.35rem 0.7rem; border-radius: 8px; border: 1px solid var(--line); background: var(--panel); color: var(--text); }
button { background: var(--accent); color: var(--panel); border-color: var(--accent); font-weight: 600; cursor: pointer; }
input[type=checkbox] { width: 1.05rem; height: 1.05rem; margin: 0 0.5rem 0 0; vertical-align: -0.15rem; accent-color: var(--accent); }
details { border-top: 1px solid var(--line); }
summary { cursor: pointer; padding: 0.5rem 1rem; color: var(--quiet); font-size: 0.88rem; }
.all { padding: 0 1rem 0.9rem; display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); }
.all h3 { font-size: 0.92rem; margin: 0 0 0.3rem; overflow-wrap: anywhere; }
.all dl { margin: 0; display: grid; grid-template-columns: 1fr auto; gap: 0.05rem 0.8rem; font-size: 0.82rem; }
.all dt { color: var(--quiet); overflow-wrap: anywhere; } .all dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
.key { display: inline-block; width: 0.65rem; height: 0.65rem; border-radius: 2px; margin: 0 0.3rem 0 0.8rem; background: var(--quiet); }
.key.q { background: var(--queue); } .key.c { background: var(--connect); } .key.r { background: var(--response); }
footer { color: var(--quiet); font-size: 0.85rem; padding-top: 1.2rem; padding-bottom: 2rem; }
@media (max-width: 1099px) {
  table, tbody, tr { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.2rem, 1fr)); gap: 0.25rem 1rem; padding: 0.65rem 1rem 0.75rem; border-top: 1px solid var(--line); }
  tbody th, tbody td { display: block; border: 0; padding: 0.1rem 0; text-align: left; white-space: normal; max-width: none; }
  tbody th:first-child { grid-column: 1 / -2; padding: 0.1rem 0; font-size: 1.05rem; overflow-wrap: anywhere; }
  tbody td.state { grid-column: -2 / -1; text-align: right; }
  tbody td[data-label="Last check"] { grid-column: span 2; }
  tbody td.none { display: none; }
  tbody td:not(.state)::before { content: attr(data-label); display: block; color: var(--quiet); font-size: 0.8rem; }
}
@media (min-width: 3400px) { main { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 1.5rem; align-items: start; } }
@media (prefers-reduced-transparency: no-preference) { tbody tr { transition: background 80ms; } }
@media print { body { background: none; } .admin, nav { display: none; } .proxy { break-inside: avoid; } }
`;

const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** Headers that belong to the page. */
export const PAGE_HEADERS: readonly string[] = [
  `content-security-policy: default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'self'`,
  "referrer-policy: no-referrer",
  "x-content-type-options: nosniff",
];
