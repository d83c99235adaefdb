// A request's way through the load balancer: which line decided what, and what server and client get.
import { useState } from "preact/hooks";
import type { Span } from "../../../src/diagnostic/span.ts";
import type { RequestTrace, RequestTraceStep, TracedLine } from "../../../src/model/request-trace.ts";
import { formatPlace } from "../text/format.ts";
import "./request-trace.css";

const MARKS: Readonly<Record<RequestTraceStep["outcome"], string>> = {
  matched: "✓",
  "not-matched": "✗",
  lacking: "?",
  failed: "!",
  noted: "→",
};
const WORDS: Readonly<Record<RequestTraceStep["outcome"], string>> = {
  matched: "holds",
  "not-matched": "does not hold",
  lacking: "cannot be told",
  failed: "fails",
  noted: "",
};

export function RequestTraceView({ trace }: { readonly trace: RequestTrace }) {
  const [isFull, setFull] = useState(false);
  const shown = trace.phases
    .map(({ name, steps }) => ({ name, steps: steps.filter(({ level }) => isFull || level === "brief") }))
    .filter(({ steps }) => steps.length > 0);
  return (
    <div class="request-trace">
      <p>
        <b>{trace.summary}</b> <Place span={trace.span} />
      </p>
      <ol>
        {shown.map(({ name, steps }) => (
          <li key={name}>
            <h3>{name}</h3>
            {steps.map((step, index) => (
              <Step key={`${name}${index}`} step={step} />
            ))}
          </li>
        ))}
      </ol>
      <Head title="The server gets" lines={trace.requestHead} />
      <Head title="The client gets" lines={trace.responseHead} />
      <button type="button" aria-pressed={isFull} onClick={() => setFull(!isFull)}>
        {isFull ? "Only what decided" : "Every line that was tried"}
      </button>
    </div>
  );
}

function Step({ step: { outcome, text, span, effects } }: { readonly step: RequestTraceStep }) {
  return (
    <div class={`trace-step ${outcome}`}>
      <span aria-hidden="true">{MARKS[outcome]}</span>
      <div>
        <span class="hidden">{WORDS[outcome]} </span>
        {text} <Place span={span} />
        {effects.map((effect) => (
          <div key={effect} class="quiet small">
            {effect}
          </div>
        ))}
      </div>
    </div>
  );
}

function Head({ title, lines }: { readonly title: string; readonly lines: readonly TracedLine[] | null }) {
  if (lines === null || lines.length === 0) return null;
  return (
    <details>
      <summary>{title}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by the keyboard. */}
      <pre class="excerpt" tabIndex={0}>
        {lines.map((line, index) => (
          <span key={`${index}${line.text}`} class={line.change}>
            {`${line.change === "added" ? "+" : line.change === "removed" ? "-" : " "} ${line.text}\n`}
          </span>
        ))}
      </pre>
    </details>
  );
}

function Place({ span }: { readonly span: Span | null }) {
  if (span === null || span.line === 0) return null;
  return (
    <code class="quiet" title={span.file}>
      {formatPlace(span)}
    </code>
  );
}
