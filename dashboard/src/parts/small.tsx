// Small things that many pages have.
import type { ComponentChildren } from "preact";
import type { SourceLine } from "../../../src/model/dashboard-api.ts";
import type { ApiFault } from "../api/client.ts";

export type Tone = "good" | "warning" | "bad" | "quiet" | "plain";

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export function Fault({ fault, again }: { readonly fault: ApiFault; again?(): void }) {
  return (
    <div class="notice bad" role="alert">
      <p>
        <Words text={fault.message} />
      </p>
      {fault.help !== null && (
        <p class="quiet">
          <Words text={fault.help} />
        </p>
      )}
      {again !== undefined && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <div class="empty">{children}</div>;
}

export function PageHead({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="page-head">
      <h1 tabIndex={-1}>{title}</h1>
      <div class="page-tools">{children}</div>
    </div>
  );
}

/** What stands between backticks is what somebody would write. */
export function Words({ text }: { readonly text: string }) {
  return (
    <>{text.split("`").map((part, index) => (index % 2 === 0 ? part : <code key={index}>{part}</code>))}</>
  );
}

/** A figure with its name. */
export function Figure({
  label,
  value,
  note = "",
  tone = "plain",
}: {
  readonly label: string;
  readonly value: string;
  readonly note?: string;
  readonly tone?: Tone;
}) {
  return (
    <div class={`figure ${tone}`}>
      <dt>{label}</dt>
      <dd>{value}</dd>
      {note !== "" && <dd class="note">{note}</dd>}
    </div>
  );
}

/** Lines of a file, one of them marked, with a caret below where it is known. */
export function Excerpt({
  lines,
  marked,
  column,
  length,
}: {
  readonly lines: readonly SourceLine[];
  readonly marked: number;
  /** From 1; 0: the whole line. */
  readonly column: number;
  readonly length: number;
}) {
  const width = String(lines.at(-1)?.line ?? 0).length;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by the keyboard.
    <pre class="excerpt" tabIndex={0}>
      {lines.map(({ line, text }) => (
        <span key={line} class={line === marked ? "line marked" : "line"}>
          <span class="number">{String(line).padStart(width)}</span> {text}
          {"\n"}
          {line === marked && column > 0 && (
            <span class="caret">{`${" ".repeat(width + column)}${"^".repeat(Math.max(1, length))}\n`}</span>
          )}
        </span>
      ))}
    </pre>
  );
}

/** Heads of a table's columns; numbers stand at the right, as their cells do. */
export function Heads({
  columns,
}: {
  readonly columns: readonly (readonly [label: string, kind?: "number"])[];
}) {
  return (
    <thead>
      <tr>
        {columns.map(([label, kind]) => (
          <th key={label} scope="col" class={kind}>
            {label}
          </th>
        ))}
      </tr>
    </thead>
  );
}
