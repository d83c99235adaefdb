// Screens and serial lines of machines: opened with a ticket that is good once, and who looks at what.
import { useEffect } from "preact/hooks";
import type {
  ConsoleMachine,
  ConsolesAnswer,
  ConsoleViewer,
  KickAnswer,
  TicketAnswer,
  TicketQuestion,
} from "../../../src/model/dashboard-datacenter.ts";
import { pathOf, post, remove, session } from "../api/client.ts";
import { say, sayFault } from "../parts/messages.tsx";
import { Empty, Fault, Heads, PageHead } from "../parts/small.tsx";
import { goWith, place } from "../router.ts";
import { useLoaded } from "../state/loaded.ts";
import { formatDuration, plural } from "../text/format.ts";

const RELOAD_MS = 5000;

export default function ConsolesPage() {
  const { data, fault, again } = useLoaded<ConsolesAnswer>("/consoles");
  useEffect(() => {
    const timer = setInterval(() => document.hidden || again(), RELOAD_MS);
    return () => clearInterval(timer);
  }, [again]);
  const find = place.value.query.get("find") ?? "";
  const machines = data?.machines.filter(({ machine }) => machine.includes(find)) ?? [];
  return (
    <>
      <PageHead title="Consoles">
        <input
          type="search"
          aria-label="Find a machine"
          placeholder="Find a machine"
          value={find}
          onInput={(event) => goWith({ find: event.currentTarget.value })}
        />
      </PageHead>
      {fault !== null && data === null && <Fault fault={fault} again={again} />}
      {data !== null && data.isServed === false && (
        <p class="notice warning" role="status">
          Nobody serves the consoles now: <code>sallyport console serve FILE</code> does.
        </p>
      )}
      {data !== null && machines.length === 0 && (
        <Empty>
          {data.isConfigured ? "No machine with a console is like that." : "The file names no consoles."}
        </Empty>
      )}
      {machines.length > 0 && (
        <div class="table-scroll">
          <table>
            <Heads columns={[["Machine"], ["Open"], ["Who looks"]]} />
            <tbody>
              {machines.map((one) => (
                <Row key={one.machine} machine={one} again={again} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Row({
  machine: { machine, access, kinds, viewers },
  again,
}: {
  readonly machine: ConsoleMachine;
  again(): void;
}) {
  const mayType = access === "open";
  const mayEnd = session.value?.role !== "viewer";
  return (
    <tr>
      <th scope="row">{machine}</th>
      <td>
        <span class="page-tools">
          {access === null && <span class="quiet">not for you</span>}
          {(access === null ? [] : kinds).map((kind) => (
            <button
              key={kind}
              type="button"
              aria-label={`${kind === "vnc" ? "Screen" : "Serial line"} of ${machine}`}
              onClick={() => void open(machine, { kind, isViewOnly: !mayType })}
            >
              {kind === "vnc" ? "Screen" : "Serial line"}
            </button>
          ))}
          {mayType && kinds.length > 0 && (
            <button
              type="button"
              class="quiet"
              aria-label={`Only look at ${machine}`}
              onClick={() => void open(machine, { kind: kinds[0]!, isViewOnly: true })}
            >
              Only look
            </button>
          )}
        </span>
      </td>
      <td>
        {viewers.length === 0 && <span class="quiet">nobody</span>}
        {viewers.map((viewer) => (
          <div key={viewer.id}>
            {viewer.user} <span class="quiet small">{viewerWords(viewer)}</span>{" "}
            {mayEnd && (
              <button type="button" class="link" onClick={() => void kick(viewer, again)}>
                End
              </button>
            )}
          </div>
        ))}
      </td>
    </tr>
  );
}

function viewerWords({ kind, client, seconds, isViewOnly }: ConsoleViewer): string {
  return `${kind}${isViewOnly ? ", looks only" : ""}, from ${client}, ${formatDuration(seconds * 1000)}`;
}

async function open(machine: string, question: TicketQuestion): Promise<void> {
  // Opened at once, for browsers allow it only as the answer to a click; the ticket comes a moment later.
  const page = window.open("about:blank", "_blank");
  try {
    const { url } = await post<TicketAnswer>(`/consoles${pathOf(machine)}/tickets`, question);
    if (page === null) {
      sayFault(new Error("The browser opened no window. Allow this page to open one."));
      return;
    }
    page.opener = null;
    page.location.href = url;
  } catch (error) {
    page?.close();
    sayFault(error);
  }
}

async function kick({ id, user }: ConsoleViewer, again: () => void): Promise<void> {
  try {
    const { kicked } = await remove<KickAnswer>(`/consoles/viewers${pathOf(id)}`);
    say(`${plural(kicked, "session")} of ${user} ended.`);
    again();
  } catch (error) {
    sayFault(error);
  }
}
