// `default-path` (manual 3.1): from where files with a relative path are taken, as if the process had been
// started there. It holds for what is read while the configuration is: certificates, maps, error files, and
// so on, not for sockets, the pid file, or programs that are run later.

export type DefaultPath =
  | { readonly kind: "current" | "config" | "parent" }
  | { readonly kind: "origin"; readonly directory: string };

export const STARTED_FROM: DefaultPath = { kind: "current" };
export const DEFAULT_PATH_KINDS: readonly DefaultPath["kind"][] = ["current", "config", "parent", "origin"];

/** What the words behind `default-path` say; null: something is wrong with them. */
export function parseDefaultPath(words: readonly string[]): DefaultPath | null {
  const [kind, directory] = words;
  if (kind === "origin") return directory === undefined || directory === "" ? null : { kind, directory };
  return kind === "current" || kind === "config" || kind === "parent" ? { kind } : null;
}

/** The directory for a configuration file of that name; null: the one that the process was started in. */
export function directoryFor(path: DefaultPath, file: string): string | null {
  if (path.kind === "current") return null;
  if (path.kind === "origin") return path.directory;
  const slash = file.lastIndexOf("/");
  const own = slash < 0 ? null : file.slice(0, slash + 1);
  if (path.kind === "config") return own;
  return own === null ? ".." : `${own}..`;
}
