// The haproxy.cfg that serves, line by line: whether each is done as HAProxy does it, and what it counts.
import { useEffect, useState } from "preact/hooks";
import type {
  ConfigurationAnswer,
  ConfigurationFile,
  ConfigurationLine,
  LineCounters,
  LineSupport,
  ReloadAnswer,
} from "../../../src/model/dashboard-api.ts";
import { post, session } from "../api/client.ts";
import { on } from "../api/events.ts";
import { Dialog } from "../parts/dialog.tsx";
import { say, sayFault } from "../parts/messages.tsx";
import { Badge, Fault, Heads, PageHead, type Tone } from "../parts/small.tsx";
import { VirtualRows } from "../parts/virtual-rows.tsx";
import { goWith, place } from "../router.ts";
import { useLoaded } from "../state/loaded.ts";
import { formatBytes, formatClock, formatCount, plural } from "../text/format.ts";
import "./files.css";

const ROW_HEIGHT = 24;
const COUNTERS_EVERY_MS = 3000;

const SUPPORT: Readonly<Record<LineSupport, readonly [label: string, tone: Tone, ofMany: string]>> = {
  done: ["", "good", "as in HAProxy"],
  partly: ["partly", "warning", "done in part"],
  "without-effect": ["no effect", "quiet", "without effect here"],
  refused: ["refused", "bad", "refused"],
  legacy: ["old words", "warning", "in old words"],
  unknown: ["unknown", "bad", "unknown"],
  none: ["", "plain", ""],
};

export default function ConfigurationPage() {
  const { data, fault, again } = useLoaded<ConfigurationAnswer>("/configuration");
  const [isAsking, setAsking] = useState(false);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || again(), COUNTERS_EVERY_MS);
    const end = on("reload", again);
    return () => {
      clearInterval(timer);
      end();
    };
  }, [again]);
  const wanted = place.value.query.get("file");
  const file = data?.files.find(({ name }) => name === wanted) ?? data?.files[0] ?? null;
  const onlyNotes = place.value.query.get("only") === "notes";
  return (
    <>
      <PageHead title="Configuration">
        {data !== null && data.files.length > 1 && (
          <select
            aria-label="File"
            value={file?.name}
            onChange={(event) => goWith({ file: event.currentTarget.value })}
          >
            {data.files.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        <button
          type="button"
          aria-pressed={onlyNotes}
          onClick={() => goWith({ only: onlyNotes ? "" : "notes" })}
        >
          Only lines with a note
        </button>
        {session.value?.role === "admin" && (
          <button
            type="button"
            class={data?.isChanged === true ? "primary" : ""}
            onClick={() => setAsking(true)}
          >
            Reload
          </button>
        )}
      </PageHead>
      {fault !== null && data === null && <Fault fault={fault} again={again} />}
      {data !== null && (
        <div class="stack">
          {data.isChanged && (
            <p class="notice warning" role="status">
              The files on disk are others than those that serve since {formatClock(data.loadedMs)}.
            </p>
          )}
          {file !== null && <FileView file={file} onlyNotes={onlyNotes} />}
        </div>
      )}
      {isAsking && <ReloadDialog close={() => setAsking(false)} />}
    </>
  );
}

function FileView({ file, onlyNotes }: { readonly file: ConfigurationFile; readonly onlyNotes: boolean }) {
  const lines = file.lines
    .map((line, index) => ({ ...line, number: index + 1 }))
    .filter(({ note }) => !onlyNotes || note !== null);
  const counts = Map.groupBy(
    file.lines.filter(({ support }) => support !== "none"),
    ({ support }) => support,
  );
  return (
    <>
      <p class="quiet">
        {file.name}:{" "}
        {[...counts]
          .map(([support, some]) => `${plural(some.length, "line")} ${SUPPORT[support][2]}`)
          .join(", ")}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by the keyboard. */}
      <section class="table-scroll" tabIndex={0} aria-label={file.name}>
        <table class="file">
          <caption class="hidden">{file.name}</caption>
          <Heads columns={[["Line", "number"], ["Text"], ["Support"], ["Now"]]} />
          <VirtualRows
            rows={lines}
            rowHeight={ROW_HEIGHT}
            columns={4}
            render={(line) => <LineRow key={line.number} line={line} />}
          />
        </table>
      </section>
    </>
  );
}

function LineRow({ line }: { readonly line: ConfigurationLine & { readonly number: number } }) {
  const { text, support, note, counters, number } = line;
  const [label, tone] = SUPPORT[support];
  return (
    <tr class={`support-${support}`}>
      <td class="number quiet">{number}</td>
      <td class="mono code">{text}</td>
      <td>
        {label !== "" && <Badge tone={tone}>{label}</Badge>}
        {note !== null && <span class="quiet small"> {note}</span>}
      </td>
      <td class="small">{counters !== null && <Counters counters={counters} />}</td>
    </tr>
  );
}

function Counters({ counters }: { readonly counters: LineCounters }) {
  const { kind, of, status, sessions, sessionsTotal, bytesOut } = counters;
  const words = `${status} · ${formatCount(sessions)} of ${formatCount(sessionsTotal)} sessions · ${formatBytes(bytesOut)}`;
  const path =
    kind === "server"
      ? `/servers?find=${encodeURIComponent(of)}`
      : kind === "listener"
        ? null
        : `/overview?proxy=${encodeURIComponent(of)}`;
  return path === null ? <span class="quiet">{words}</span> : <a href={path}>{words}</a>;
}

function ReloadDialog({ close }: { close(): void }) {
  const [answer, setAnswer] = useState<ReloadAnswer | null>(null);
  const [isAsking, setAsking] = useState(false);
  const reload = async () => {
    setAsking(true);
    try {
      const given = await post<ReloadAnswer>("/reload", {});
      if (given.isReloaded) {
        say(given.message);
        close();
      } else setAnswer(given);
    } catch (error) {
      sayFault(error);
      close();
    } finally {
      setAsking(false);
    }
  };
  return (
    <Dialog title="Reload the configuration?" onClose={close}>
      {answer === null ? (
        <p>The files are read anew. No request and no connection is lost; what is wrong changes nothing.</p>
      ) : (
        <div class="notice bad" role="alert">
          <p>{answer.message}</p>
          {answer.findings.slice(0, 5).map(({ id, message, span }) => (
            <p key={id} class="small">
              {span.file}:{span.line}: {message}
            </p>
          ))}
          <a href="/check">All of it</a>
        </div>
      )}
      <div class="dialog-buttons">
        <button type="button" onClick={close}>
          {answer === null ? "Cancel" : "Close"}
        </button>
        {answer === null && (
          <button type="button" class="primary" disabled={isAsking} onClick={() => void reload()}>
            Reload
          </button>
        )}
      </div>
    </Dialog>
  );
}
