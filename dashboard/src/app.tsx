// The frame of all pages: navigation, what is going on now, and the page itself.
import { Component, type ComponentChildren, type ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { loadSession, remove, session } from "./api/client.ts";
import { connect, live } from "./api/events.ts";
import { PAGES, type Page, pageOf } from "./pages.ts";
import { Icon } from "./parts/icons.tsx";
import { Login } from "./parts/login.tsx";
import { Messages, sayFault } from "./parts/messages.tsx";
import { isPaletteOpen, Palette } from "./parts/palette.tsx";
import { chooseTheme, isDark, theme } from "./parts/theme.ts";
import { go, place } from "./router.ts";
import { overview } from "./state/overview.ts";
import { formatCount, formatMs, plural } from "./text/format.ts";

export function App() {
  const who = session.value;
  if (who === null) return <main class="login" aria-busy="true" />;
  if (who.user === null) return <Login />;
  return (
    <>
      <a class="skip" href="#page">
        Skip to the page
      </a>
      <Navigation />
      <div class="main">
        <Head />
        <main id="page">
          <CurrentPage />
        </main>
      </div>
      <Messages />
      {isPaletteOpen.value && <Palette />}
    </>
  );
}

function Navigation() {
  const { program, features } = session.value!;
  const [name = "overview"] = place.value.parts;
  const pages = useRef<HTMLUListElement>(null);
  useEffect(() => {
    // On a telephone they are more than the screen is wide.
    const current = pages.current?.querySelector("[aria-current]");
    current?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [name]);
  return (
    <nav class="navigation" aria-label="Pages">
      <a class="brand" href="/overview">
        <img src="/icon.svg" alt="" width="24" height="24" /> <span>Sallyport</span>
      </a>
      <ul ref={pages}>
        {PAGES.filter((page) => page.isThere(features)).map((page) => (
          <li key={page.name}>
            <a href={`/${page.name}`} aria-current={page.name === name ? "page" : undefined}>
              <Icon name={page.icon} /> <span>{page.title}</span>
            </a>
          </li>
        ))}
      </ul>
      <p class="version">
        {program.version}
        {program.isDemo && " · demo"}
      </p>
    </nav>
  );
}

function Head() {
  const { user, role, isLoginRequired } = session.value!;
  // Read, so that it is drawn anew when it changes.
  const dark = theme.value === "system" ? isDark() : theme.value === "dark";
  const logOut = async () => {
    try {
      await remove("/session");
    } catch (error) {
      sayFault(error);
    }
    await loadSession().catch(() => {});
  };
  return (
    <header class="head">
      <NowLine />
      <div class="head-tools">
        <button
          type="button"
          class="quiet"
          onClick={() => {
            isPaletteOpen.value = true;
          }}
        >
          <Icon name="search" /> <span class="wide">Go to</span> <kbd class="wide">Ctrl K</kbd>
        </button>
        <button
          type="button"
          class="quiet"
          aria-label={dark ? "Light colours" : "Dark colours"}
          onClick={() => chooseTheme(dark ? "light" : "dark")}
        >
          <Icon name={dark ? "sun" : "moon"} />
        </button>
        {isLoginRequired && (
          <button type="button" class="quiet" onClick={logOut} title={`${user}, ${role}`}>
            <Icon name="out" /> <span class="wide">{user}</span>
          </button>
        )}
      </div>
    </header>
  );
}

/** In one line: is it alive, and how is it doing? */
function NowLine() {
  const now = overview.value;
  const state = live.value;
  if (state !== "live")
    return (
      <div class="now" role="status">
        <span class="dot warning" /> {state === "connecting" ? "Connecting …" : "No connection."}
        {state === "waiting" && (
          <button type="button" class="link" onClick={connect}>
            Try now
          </button>
        )}
      </div>
    );
  if (now === null) return <div class="now" />;
  const { total } = now;
  const down = total.serverCount - total.serversUp;
  return (
    <div class="now">
      <span class={down > 0 || total.errorsPerSecond > 0 ? "dot bad" : "dot good"} />
      <b>{formatCount(total.requestsPerSecond)}</b> requests/s
      <span class="wide">
        {" · "}
        {total.latency === null ? "–" : formatMs(total.latency.p99Ms)} p99
      </span>
      {total.errorsPerSecond > 0 && (
        <span class="bad-text">{` · ${formatCount(total.errorsPerSecond)} errors/s`}</span>
      )}
      {down > 0 && <span class="bad-text">{` · ${plural(down, "server")} not usable`}</span>}
    </div>
  );
}

const loaded = new Map<string, ComponentType>();

function CurrentPage() {
  const [name] = place.value.parts;
  const page = pageOf(name);
  const [, redraw] = useState(0);
  const [fault, setFault] = useState<string | null>(null);
  useEffect(() => {
    if (name === undefined) go("/overview", true);
  }, [name]);
  useEffect(() => {
    if (page === undefined) return;
    document.title = `${page.title} · Sallyport`;
    if (!loaded.has(page.name))
      load(page).then(
        () => redraw((round) => round + 1),
        () => setFault(page.title),
      );
  }, [page]);
  if (name === undefined) return null;
  if (page === undefined)
    return (
      <div class="empty">
        <h1>There is no page “{name}”</h1>
        <a href="/overview">Overview</a>
      </div>
    );
  const Shown = loaded.get(page.name);
  if (Shown === undefined)
    return fault === page.title ? (
      <div class="empty" role="alert">
        {page.title} could not be loaded: the program may have been updated.{" "}
        <button type="button" onClick={() => window.location.reload()}>
          Load the dashboard anew
        </button>
      </div>
    ) : (
      <div class="empty" aria-busy="true" />
    );
  return (
    <Guard key={page.name}>
      <Shown />
    </Guard>
  );
}

async function load(page: Page): Promise<void> {
  loaded.set(page.name, (await page.load()).default);
}

/** A page that fails must not take the navigation with it. */
class Guard extends Component<{ readonly children: ComponentChildren }, { readonly fault: Error | null }> {
  override state = { fault: null as Error | null };

  override componentDidCatch(fault: Error): void {
    this.setState({ fault });
  }

  override render() {
    const { fault } = this.state;
    if (fault === null) return this.props.children;
    return (
      <div class="notice bad" role="alert">
        <p>This page has failed: {fault.message}</p>
        <button type="button" onClick={() => this.setState({ fault: null })}>
          Show it again
        </button>
      </div>
    );
  }
}
