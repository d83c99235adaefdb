import { effect } from "@preact/signals";
import { render } from "preact";
import { loadSession, session } from "./api/client.ts";
import { startEvents } from "./api/events.ts";
import { App } from "./app.tsx";
import { pageOf } from "./pages.ts";
import { startPaletteKeys } from "./parts/palette.tsx";
import { applyTheme } from "./parts/theme.ts";
import { place, startRouter } from "./router.ts";
import { startOverview } from "./state/overview.ts";
import "./style.css";
import "./controls.css";
import "./tables.css";
import "./front.css";
import "./narrow.css";

const RETRY_MS = 2000;

applyTheme();
startRouter();
startPaletteKeys();
render(<App />, document.querySelector("#app")!);

// The page's own program is asked for beside the session, not behind it. The page tells when it fails.
pageOf(place.value.parts[0] ?? "overview")
  ?.load()
  .catch(() => {});

/** The program may not be there yet: it is asked until it is. */
function begin(): void {
  loadSession().catch(() => setTimeout(begin, RETRY_MS));
}

/** Nothing else answers before somebody is logged in. */
const endWaiting = effect(() => {
  if ((session.value?.user ?? null) === null) return;
  queueMicrotask(() => endWaiting());
  startOverview();
  startEvents();
});
begin();
