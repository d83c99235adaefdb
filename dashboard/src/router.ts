// Which page is shown, by the address: /servers, /requests/17, /explain?from=…: what is seen can be sent to
// somebody else.
import { computed, signal } from "@preact/signals";

export interface Place {
  /** Without empty parts: ["requests", "17"]. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

const address = signal(location.pathname + location.search);

export const place = computed<Place>(() => {
  const url = new URL(address.value, location.origin);
  return {
    parts: url.pathname
      .split("/")
      .filter((part) => part !== "")
      .map(decode),
    query: url.searchParams,
  };
});

/** `replaces`: the place before is not one to come back to. */
export function go(path: string, replaces = false): void {
  if (path === location.pathname + location.search) return;
  if (replaces) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  address.value = path;
  if (!replaces) window.scrollTo(0, 0);
}

/** The same page with other words behind the question mark; empty ones are left out. */
export function goWith(changes: Readonly<Record<string, string>>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  go(location.pathname + (text === "" ? "" : `?${text}`), true);
}

/** Links are links; those of this page change it without loading it anew. */
export function startRouter(): void {
  window.addEventListener("popstate", () => {
    address.value = location.pathname + location.search;
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
      return;
    const link = (event.target as Element).closest("a");
    if (
      link === null ||
      link.origin !== location.origin ||
      link.target !== "" ||
      link.hasAttribute("download")
    )
      return;
    if (link.pathname.startsWith("/api/")) return;
    // Within the page, for those who jump over the navigation.
    if (link.getAttribute("href")?.startsWith("#") === true) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
