// Light or dark: as the system has it, unless somebody has chosen. Kept for the next time.
import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
const KEY = "sallyport.theme";

export const theme = signal<Theme>(read());

export function applyTheme(): void {
  const chosen = theme.value;
  if (chosen === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
}

export function chooseTheme(next: Theme): void {
  theme.value = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing still shows it now.
  }
  applyTheme();
}

/** What is seen now. */
export function isDark(): boolean {
  return theme.value === "system"
    ? matchMedia("(prefers-color-scheme: dark)").matches
    : theme.value === "dark";
}

function read(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system";
  }
}
