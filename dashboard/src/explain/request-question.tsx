// A request through the load balancer that runs here: which way it would take, and which line decided.
import { useEffect, useState } from "preact/hooks";
import type { ConfigurationAnswer, ExplainRequestQuestion } from "../../../src/model/dashboard-api.ts";
import type { RequestTrace } from "../../../src/model/request-trace.ts";
import { type ApiFault, post } from "../api/client.ts";
import { CopyLine } from "../parts/copy-line.tsx";
import { RequestTraceView } from "../parts/request-trace.tsx";
import { Empty, Fault } from "../parts/small.tsx";
import { go, place } from "../router.ts";
import { useLoaded } from "../state/loaded.ts";
import { requestCommand, requestWords } from "./question-words.ts";
import { RequestInputs, RequestPresets, requestFieldsOf, wordsOfForm } from "./request-form.tsx";

export function RequestQuestion() {
  const { query } = place.value;
  const question = query.toString();
  const { trace, fault } = useRequestTrace(question);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const words = wordsOfForm(event.currentTarget as HTMLFormElement);
    go(`/explain?${new URLSearchParams([["of", "request"], ...words])}`);
  };
  return (
    <>
      <form key={question} class="explain-form" onSubmit={submit}>
        <RequestInputs query={query} isRequired />
        <label>
          Client
          <input name="from" size={17} placeholder="198.51.100.7" defaultValue={query.get("from") ?? ""} />
        </label>
        <label>
          Address reached
          <input name="to" size={17} placeholder="any listener" defaultValue={query.get("to") ?? ""} />
        </label>
        <label>
          Servers that are down
          <input
            name="down"
            size={21}
            placeholder="WEB-001 app/WEB-002"
            defaultValue={query.get("down") ?? ""}
          />
        </label>
        <RequestPresets
          take={(fields) => go(`/explain?${new URLSearchParams({ of: "request", ...fields })}`)}
        />
        <button type="submit" class="primary">
          Explain
        </button>
      </form>
      {fault !== null && <Fault fault={fault} />}
      {trace === null && fault === null && <Empty>Say which request: it is not sent, only explained.</Empty>}
      {trace !== null && (
        <section class="card" aria-label="Explanation">
          <h2>What becomes of it</h2>
          <RequestTraceView trace={trace} />
          <Elsewhere query={query} />
        </section>
      )}
    </>
  );
}

/** The newest question's answer; null until it is there. */
function useRequestTrace(question: string): {
  readonly trace: RequestTrace | null;
  readonly fault: ApiFault | null;
} {
  const [answer, setAnswer] = useState<{ trace: RequestTrace | null; fault: ApiFault | null }>({
    trace: null,
    fault: null,
  });
  useEffect(() => {
    const asked = questionOf(new URLSearchParams(question));
    if (asked.url === "") return setAnswer({ trace: null, fault: null });
    let isWanted = true;
    post<RequestTrace>("/explain/request", asked).then(
      (trace) => isWanted && setAnswer({ trace, fault: null }),
      (error: unknown) => isWanted && setAnswer({ trace: null, fault: error as ApiFault }),
    );
    return () => {
      isWanted = false;
    };
  }, [question]);
  return answer;
}

function questionOf(query: URLSearchParams): ExplainRequestQuestion {
  const { url, method, headers } = requestWords(requestFieldsOf(query));
  const { from, to, down } = placesOf(query);
  return {
    url,
    ...(method === null ? {} : { method }),
    ...(headers.length === 0 ? {} : { headers }),
    ...(from === "" ? {} : { from }),
    ...(to === "" ? {} : { to }),
    ...(down.length === 0 ? {} : { down }),
  };
}

function placesOf(query: URLSearchParams) {
  const value = (name: string) => query.get(name) ?? "";
  const down = value("down")
    .split(/[\s,]+/)
    .filter((server) => server !== "");
  return { from: value("from"), to: value("to"), down };
}

/** The same question in a terminal and in somebody else's browser. */
function Elsewhere({ query }: { readonly query: URLSearchParams }) {
  // Only for the names of its files, so not before somebody asks about something.
  const { data } = useLoaded<ConfigurationAnswer>("/configuration");
  const files = data?.files.map(({ name }) => name) ?? [];
  return (
    <div class="copy-lines">
      {files.length > 0 && (
        <CopyLine
          label="As a command"
          text={requestCommand(files, requestWords(requestFieldsOf(query)), placesOf(query))}
        />
      )}
      <CopyLine label="As a link" text={`${location.origin}/explain?${query}`} />
    </div>
  );
}
