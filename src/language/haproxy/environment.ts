// What a configuration may ask of the machine that it is read on. Given by the caller, so that reading
// stays pure.

export interface ReaderEnvironment {
  /** Environment variables; a variable that is not set is absent. */
  readonly variables: Readonly<Record<string, string>>;
  /** Bytes of a file named in the configuration (map, acl, errorfile); null when it cannot be read. */
  readFile(path: string): Uint8Array | null;
  readonly hostname: string;
  readonly cpuCount: number;
}

export interface SourceFile {
  /** As the user gave it; appears in spans. */
  readonly name: string;
  readonly text: string;
}

/** The language is HAProxy 2.6's, so this is what `.if version_atleast(…)` compares with. */
export const LANGUAGE_VERSION = "2.6.0";
export const OPENSSL_VERSION = "3.5.0";
export const FEATURES: ReadonlySet<string> = new Set([
  "EPOLL",
  "THREAD",
  "OPENSSL",
  "PCRE2",
  "PCRE2_JIT",
  "PROMEX",
  "TFO",
  "NS",
  "GETADDRINFO",
  "POLL",
  "SYSTEMD",
]);
