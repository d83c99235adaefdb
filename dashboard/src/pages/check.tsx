// What is wrong with the files, at the line, with what to write instead - and by one click, where that can do
// no harm.
import { useEffect, useState } from "preact/hooks";
import type { CheckAnswer, CheckFinding, CheckFix, FixAnswer } from "../../../src/model/dashboard-api.ts";
import { post, session } from "../api/client.ts";
import { on } from "../api/events.ts";
import { Dialog } from "../parts/dialog.tsx";
import { say, sayFault } from "../parts/messages.tsx";
import { Badge, Empty, Excerpt, Fault, PageHead, type Tone, Words } from "../parts/small.tsx";
import { useLoaded } from "../state/loaded.ts";
import { plural } from "../text/format.ts";
import "./files.css";

const TONES: Readonly<Record<CheckFinding["severity"], Tone>> = {
  error: "bad",
  warning: "warning",
  notice: "quiet",
};

export default function CheckPage() {
  const { data, fault, isLoading, again, set } = useLoaded<CheckAnswer>("/check");
  const [asked, setAsked] = useState<readonly CheckFinding[] | null>(null);
  useEffect(() => {
    const endings = [on("reload", again), on("datacenter", again)];
    return () => {
      for (const end of endings) end();
    };
  }, [again]);
  const mayFix = session.value?.role === "admin";
  const fixable = data?.findings.filter(({ fix }) => fix !== null) ?? [];
  const fix = async (findings: readonly CheckFinding[]) => {
    setAsked(null);
    try {
      const answer = await post<FixAnswer>("/check/fix", { ids: findings.map(({ id }) => id) });
      set(() => answer.check);
      say(`${plural(answer.fixed.length, "place")} mended.`);
      for (const { reason } of answer.refused) sayFault(new Error(reason));
    } catch (error) {
      sayFault(error);
    }
  };
  return (
    <>
      <PageHead title="Check">
        {data !== null && (
          <span class="quiet">
            {data.files.map(({ name }) => name.slice(name.lastIndexOf("/") + 1)).join(", ")}
          </span>
        )}
        <button type="button" disabled={isLoading} onClick={again}>
          Check again
        </button>
        {mayFix && fixable.length > 1 && (
          <button type="button" class="primary" onClick={() => setAsked(fixable)}>
            Mend {fixable.length} places
          </button>
        )}
      </PageHead>
      {fault !== null && <Fault fault={fault} again={again} />}
      {data !== null && data.findings.length === 0 && (
        <Empty>
          <Badge tone="good">Nothing to find fault with</Badge>
        </Empty>
      )}
      {data !== null && data.findings.length > 0 && (
        <div class="stack">
          <p role="status">
            {plural(data.errorCount, "error")}, {plural(data.warningCount, "warning")}.
          </p>
          {data.findings.map((finding) => (
            <Finding key={finding.id} finding={finding} mend={mayFix ? () => setAsked([finding]) : null} />
          ))}
        </div>
      )}
      {asked !== null && (
        <Dialog title={`Mend ${plural(asked.length, "place")}?`} onClose={() => setAsked(null)}>
          {distinctFixes(asked).map(([key, one]) => (
            <Changes key={key} fix={one} />
          ))}
          <p class="quiet">The files are written; what runs changes with the next reload.</p>
          <div class="dialog-buttons">
            <button type="button" onClick={() => setAsked(null)}>
              Cancel
            </button>
            <button type="button" class="primary" onClick={() => void fix(asked)}>
              Mend
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

/** Rules that can only change together have one fix in common. */
function distinctFixes(findings: readonly CheckFinding[]): readonly (readonly [key: string, CheckFix])[] {
  const fixes = new Map<string, CheckFix>();
  for (const { fix } of findings) if (fix !== null) fixes.set(JSON.stringify(fix), fix);
  return [...fixes];
}

function Finding({ finding, mend }: { readonly finding: CheckFinding; readonly mend: (() => void) | null }) {
  const { severity, message, help, span, excerpt, related, relatedExcerpts, code, fix } = finding;
  return (
    <article class="card finding">
      <h2>
        <Badge tone={TONES[severity]}>{severity}</Badge> <Words text={message} />
      </h2>
      <p class="quiet small">
        {span.file}
        {span.line > 0 && `:${span.line}:${span.column}`} · <code>{code}</code>
      </p>
      {excerpt.length > 0 && (
        <Excerpt
          lines={excerpt}
          marked={span.line}
          column={span.column}
          length={span.endColumn - span.column}
        />
      )}
      {help !== null && !isLineOf(fix, help) && (
        <p>
          <Words text={help} />
        </p>
      )}
      {related.map((one, index) => (
        <div key={`${one.span.file}:${one.span.line}`}>
          <p class="quiet small">
            <Words text={one.message} /> ({one.span.file}:{one.span.line})
          </p>
          {(relatedExcerpts[index]?.length ?? 0) > 0 && (
            <Excerpt
              lines={relatedExcerpts[index]!}
              marked={one.span.line}
              column={one.span.column}
              length={one.span.endColumn - one.span.column}
            />
          )}
        </div>
      ))}
      {fix !== null && (
        <>
          <Changes fix={fix} />
          {mend !== null && (
            <button type="button" onClick={mend}>
              Mend it
            </button>
          )}
        </>
      )}
    </article>
  );
}

/** A help that is the new line itself is shown by the change already. */
function isLineOf(fix: CheckFix | null, help: string): boolean {
  return fix?.changes.some(({ after }) => after?.trim() === help) === true;
}

function Changes({ fix }: { readonly fix: CheckFix }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by the keyboard.
    <pre class="excerpt" tabIndex={0}>
      {fix.changes.map(({ file, line, before, after }, index) => (
        <span key={`${file}:${line}:${after}`}>
          {isElsewhere(fix.changes, index) && <span class="quiet">{`${file}:${line}\n`}</span>}
          {before !== null && <span class="removed">{`- ${before}\n`}</span>}
          {after !== null && <span class="added">{`+ ${after}\n`}</span>}
        </span>
      ))}
    </pre>
  );
}

/** Whether a change is not beside the one before it, so that its place has to be said. */
function isElsewhere(changes: CheckFix["changes"], index: number): boolean {
  const [one, last] = [changes[index]!, changes[index - 1]];
  return last === undefined || last.file !== one.file || one.line > last.line + 1;
}
