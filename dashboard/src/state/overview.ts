// What every page shows in its head: the newest figures, as the stream brings them.
import { signal } from "@preact/signals";
import type { Overview } from "../../../src/model/dashboard-api.ts";
import { get } from "../api/client.ts";
import { on } from "../api/events.ts";

export const overview = signal<Overview | null>(null);

export function startOverview(): void {
  on("overview", (data) => {
    overview.value = data;
  });
  // The stream says it a second later, if this fails.
  get<Overview>("/overview").then(
    (data) => {
      overview.value ??= data;
    },
    () => {},
  );
}
