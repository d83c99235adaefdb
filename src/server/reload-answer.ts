// What a reload came to, as text over the runtime API: "Success=1" or "Success=0", a line "--", and what
// there is to say, which is the shape that HAProxy's master has since 2.7. Both directions, so that they
// cannot part.
import { renderDiagnostics } from "../diagnostic/render.ts";
import type { ReloadResult } from "./master.ts";

export function formatReloadAnswer(result: ReloadResult): string {
  const { ok, diagnostics, sources, problems } = result;
  const source = (file: string) => sources.find(({ name }) => name === file)?.text ?? null;
  const lines = problems.map(
    ({ file, line, message }) => `${line === 0 ? "" : `${file}:${line}: `}${message}\n`,
  );
  const verdict = ok ? "reloaded\n" : "not reloaded: the old configuration goes on\n";
  const text = renderDiagnostics(diagnostics, { source, colour: false });
  return `Success=${ok ? 1 : 0}\n--\n${text}${text === "" ? "" : "\n"}${lines.join("")}${verdict}`;
}

/** An answer in another form is a refusal, and is its own text. */
export function readReloadAnswer(answer: string): { readonly isSuccess: boolean; readonly text: string } {
  const [, digit, text = ""] = /^Success=([01])\n--\n([\s\S]*)$/.exec(answer) ?? [];
  if (digit === undefined) return { isSuccess: false, text: `${answer.trimEnd()}\n` };
  return { isSuccess: digit === "1", text: `${text.trimEnd()}\n` };
}
