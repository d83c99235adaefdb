// The words that requests are found by; each is a word of the address, so that what is found can be sent on.
import { useState } from "preact/hooks";
import { goWith } from "../router.ts";
import { overview } from "../state/overview.ts";
import type { Filters } from "../state/request-tail.ts";

export function FilterForm({ filters }: { readonly filters: Filters }) {
  const [isOpen, setOpen] = useState(Object.keys(filters).length > 0);
  const proxies = overview.value?.proxies ?? [];
  const names = (kind: "frontend" | "backend") =>
    proxies.filter((one) => one.kind === kind).map(({ name }) => name);
  const text = (name: keyof Filters, label: string, hint: string, size: number) => (
    <input
      type="search"
      aria-label={label}
      placeholder={hint}
      size={size}
      value={filters[name] ?? ""}
      onInput={(event) => goWith({ [name]: event.currentTarget.value.trim() })}
    />
  );
  const choice = (name: keyof Filters, label: string, options: readonly string[]) => (
    <select
      aria-label={label}
      value={filters[name] ?? ""}
      onChange={(event) => goWith({ [name]: event.currentTarget.value })}
    >
      <option value="">{label}</option>
      {options.map((option) => (
        <option key={option} value={option}>
          {option}
        </option>
      ))}
    </select>
  );
  return (
    <search class={isOpen ? "filters open" : "filters"}>
      <button type="button" class="more" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Filters
      </button>
      <button
        type="button"
        aria-pressed={filters.failed === "true"}
        onClick={() => goWith({ failed: filters.failed === "true" ? "" : "true" })}
      >
        Failed only
      </button>
      {text("path", "A part of the path", "Path", 16)}
      {text("client", "A part of the client's address", "Client", 12)}
      {choice("status", "Any status", ["2xx", "3xx", "4xx", "5xx"])}
      {choice("method", "Any method", ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"])}
      {choice("frontend", "Any frontend", names("frontend"))}
      {choice("backend", "Any backend", names("backend"))}
      {text("server", "Server", "Server", 10)}
      {choice("slowerMs", "Any time", ["10", "100", "1000", "10000"])}
      {text("termination", "Termination state begins with", "Ended: SC, cD", 12)}
    </search>
  );
}
