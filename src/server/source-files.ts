// Texts of configurations on disk, as a command line names them, and what is said of those that cannot be
// read.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Diagnostic } from "../diagnostic/diagnostic.ts";
import type { Span } from "../diagnostic/span.ts";
import type { SourceText } from "./prepare.ts";

/** Files and directories as `-f` takes them: a directory stands for its `*.cfg` files in their order. */
export function readSources(paths: readonly string[]): { sources: SourceText[]; diagnostics: Diagnostic[] } {
  const sources: SourceText[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const path of paths.flatMap(expandDirectory)) {
    try {
      sources.push({ name: path, text: path === "-" ? readStandardInput() : readFileSync(path, "utf8") });
    } catch (error) {
      diagnostics.push(fileDiagnostic("file-unreadable", fileSpan(path), error));
    }
  }
  return { sources, diagnostics };
}

let standardInput: string | null = null;

/** It can be read once only; a reload gets the same text again. */
function readStandardInput(): string {
  standardInput ??= readFileSync(0, "utf8");
  return standardInput;
}

function expandDirectory(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
  } catch {
    return [path];
  }
  const names = readdirSync(path).filter((name) => name.endsWith(".cfg") && !name.startsWith("."));
  return names.sort().map((name) => join(path, name));
}

function fileSpan(file: string): Span {
  return { file, line: 0, column: 0, endColumn: 0 };
}

export function fileDiagnostic(code: string, span: Span, error: unknown): Diagnostic {
  const { code: errno, path } = error as NodeJS.ErrnoException;
  const name = path ?? span.file;
  const reasons: Record<string, string> = {
    ENOENT: `there is no file '${name}'`,
    EACCES: `no permission to read '${name}'`,
    EISDIR: `'${name}' is a directory`,
  };
  const message = reasons[errno ?? ""] ?? `cannot read '${name}': ${(error as Error).message}`;
  return { code, severity: "error", span, message, help: null, related: [] };
}
