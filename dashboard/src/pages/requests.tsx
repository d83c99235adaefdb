// What was asked and how it ended, as it happens: found by filters, and each explained.
import { useEffect, useRef, useState } from "preact/hooks";
import type { RequestRecord, RequestsAnswer, RequestsKept } from "../../../src/model/dashboard-api.ts";
import { type ApiFault, get } from "../api/client.ts";
import { on } from "../api/events.ts";
import { Empty, Fault, Heads, PageHead } from "../parts/small.tsx";
import { VirtualRows } from "../parts/virtual-rows.tsx";
import { FilterForm } from "../requests/filter-form.tsx";
import { RequestDialog } from "../requests/request-dialog.tsx";
import { RequestTableRow, TimeLegend } from "../requests/request-row.tsx";
import { go, place } from "../router.ts";
import { type Filters, filtersOf, queryOf, withNew } from "../state/request-tail.ts";
import { formatCount } from "../text/format.ts";
import "./requests.css";

const ROW_HEIGHT = 34;
const COLUMNS = 9;
const PAGE = 200;

export default function RequestsPage() {
  const { parts, query } = place.value;
  const filters = filtersOf(query);
  const [held, setHeld] = useState<readonly RequestRecord[]>([]);
  const [kept, setKept] = useState<RequestsKept | null>(null);
  const [older, setOlder] = useState<number | null>(null);
  const [fault, setFault] = useState<ApiFault | null>(null);
  const [isPaused, setPaused] = useState(false);
  const question = queryOf(filters);
  const latest = useRef<{ filters: Filters; isPaused: boolean }>({ filters, isPaused });
  latest.current = { filters, isPaused };

  const load = (before: number | null) => {
    const more = before === null ? "" : `&before=${before}`;
    const stop = new AbortController();
    get<RequestsAnswer>(
      `/requests?limit=${PAGE}${more}${question === "" ? "" : `&${question}`}`,
      stop.signal,
    ).then(
      (answer) => {
        setHeld((list) => (before === null ? answer.requests : [...list, ...answer.requests]));
        setKept(answer.kept);
        setOlder(answer.before);
        setFault(null);
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setFault(error as ApiFault);
      },
    );
    return () => stop.abort();
  };
  useEffect(() => load(null), [question]);
  useEffect(() => {
    const endings = [
      on("requests", ({ requests, kept: now }) => {
        setKept(now);
        if (latest.current.isPaused) return;
        setHeld((list) => withNew(list, requests, latest.current.filters));
      }),
      on("lost", () => void load(null)),
    ];
    return () => {
      for (const end of endings) end();
    };
  }, []);

  const id = parts[1] ?? null;
  return (
    <>
      <PageHead title="Requests">
        {kept !== null && (
          <span class="quiet small">
            {formatCount(kept.count)} kept
            {kept.share < 1 && `, ${Math.max(1, Math.round(kept.share * 100))} % of them under this load`}
          </span>
        )}
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? "Go on" : "Pause"}
        </button>
      </PageHead>
      <FilterForm filters={filters} />
      {fault !== null && <Fault fault={fault} again={() => void load(null)} />}
      {held.length === 0 && kept === null && fault === null && <Empty>Loading …</Empty>}
      {held.length === 0 && kept !== null && fault === null && (
        <Empty>
          {question === "" ? "No request has come yet." : "No request is like that."}
          {question !== "" && (
            <button type="button" onClick={() => go("/requests")}>
              Without filters
            </button>
          )}
        </Empty>
      )}
      {held.length > 0 && <TimeLegend />}
      {held.length > 0 && (
        <div class="table-scroll">
          <table class="requests">
            <Heads
              columns={[
                ["Time"],
                ["Client"],
                ["Request"],
                ["Status"],
                ["Server"],
                ["Total", "number"],
                ["Where the time went"],
                ["Bytes", "number"],
                ["Ended"],
              ]}
            />
            <VirtualRows
              rows={held}
              rowHeight={ROW_HEIGHT}
              columns={COLUMNS}
              render={(row) => <RequestTableRow key={row.id} row={row} question={question} />}
            />
          </table>
        </div>
      )}
      {older !== null && held.length > 0 && (
        <button type="button" class="older" onClick={() => void load(older)}>
          Older ones
        </button>
      )}
      {id !== null && (
        <RequestDialog id={id} close={() => go(`/requests${question === "" ? "" : `?${question}`}`)} />
      )}
    </>
  );
}
