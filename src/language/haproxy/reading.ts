// What the readers of all sections share while one configuration is read, and what a reader of one line gets.
import type { Span } from "../../diagnostic/span.ts";
import type { CacheDefinition } from "../../model/cache.ts";
import type { GlobalSettings } from "../../model/global-settings.ts";
import type { LogForwarder, RingDefinition } from "../../model/log-forward.ts";
import type { Program } from "../../model/program.ts";
import type { Userlist } from "../../model/proxy.ts";
import type { ResolversSection } from "../../model/resolvers.ts";
import type { ReplyDefinition } from "../../model/rule.ts";
import type { Acl } from "../../model/sample.ts";
import type { PeersSection, StickTableDefinition } from "../../model/stick-table.ts";
import type { ExpressionContext, KnownNames } from "./context.ts";
import { Cursor } from "./cursor.ts";
import { type DefaultPath, directoryFor, STARTED_FROM } from "./default-path.ts";
import type { Mutable, ProxyDraft } from "./draft.ts";
import type { ReaderEnvironment } from "./environment.ts";
import type { Line } from "./lines.ts";
import type { MailersSection } from "./mailers-section.ts";
import { PatternListDrafts } from "./pattern-lists.ts";
import type { Report } from "./report.ts";
import { resolvePath } from "./tls-words.ts";
import type { UnixBind } from "./unix-socket.ts";
import type { Word } from "./word.ts";

/** Settings of `global` that proxies need while they are read; not part of the model by themselves. */
export interface GlobalDraft extends Mutable<Omit<GlobalSettings, "serverDefaults" | "tls" | "http2">> {
  tls: Mutable<GlobalSettings["tls"]>;
  http2: Mutable<GlobalSettings["http2"]>;
  crtBase: string | null;
  caBase: string | null;
  bindDefaults: {
    options: readonly Word[];
    ciphers: string | null;
    ciphersuites: string | null;
    curves: string | null;
  };
  /** For the unix sockets of `bind` lines that follow. */
  unixBind: UnixBind;
  serverDefaults: { options: readonly Word[]; ciphers: string | null; ciphersuites: string | null };
  serverVerifyNone: boolean;
  /** `external-check` and `insecure-fork-wanted`. */
  allowsExternalChecks: boolean;
  allowsForks: boolean;
}

export class Reading {
  readonly environment: ReaderEnvironment;
  readonly report: Report;
  readonly global: GlobalDraft;
  readonly userlists: Userlist[] = [];
  readonly programs: Program[] = [];
  readonly stickTables: StickTableDefinition[] = [];
  /** Names of those that `stick` rules keep servers in. */
  readonly stuckTables: Set<string> = new Set();
  readonly caches: CacheDefinition[] = [];
  readonly peers: PeersSection[] = [];
  readonly mailers: MailersSection[] = [];
  readonly resolvers: ResolversSection[] = [];
  readonly rings: RingDefinition[] = [];
  readonly logForwarders: LogForwarder[] = [];
  /** `default-path`, and the file that is being read. */
  defaultPath: DefaultPath = STARTED_FROM;
  file = "";
  /** The last `h1-case-adjust-file`. */
  headerNamesFile: Word | null = null;
  /** `localpeer`. */
  localPeer: string | null = null;
  readonly patternLists: PatternListDrafts = new PatternListDrafts();
  /** Predefined acls that proxies use, by "PROXY NAME". */
  readonly adoptedAcls: Map<string, Acl> = new Map();
  readonly httpErrors: Map<string, Map<number, ReplyDefinition>> = new Map();
  readonly names: {
    frontends: Set<string>;
    backends: Set<string>;
    userlists: Set<string>;
    resolvers: Set<string>;
    servers: Set<string>;
  } & KnownNames = {
    frontends: new Set(),
    backends: new Set(),
    userlists: new Set(),
    resolvers: new Set(),
    servers: new Set(),
  };
  /** "BACKEND/SERVER" of those that something names. */
  readonly namedServers: Set<string> = new Set();
  readonly deferred: (() => void)[] = [];

  constructor(environment: ReaderEnvironment, report: Report, global: GlobalDraft) {
    this.environment = environment;
    this.report = report;
    this.global = global;
  }

  variable(name: string): string | null {
    const { variables } = this.environment;
    return Object.hasOwn(variables, name) ? variables[name]! : null;
  }

  /** Where relative paths begin; null: where the process was started. */
  get directory(): string | null {
    return directoryFor(this.defaultPath, this.file);
  }

  /** Where the relative paths of certificates and of authorities begin. */
  get certificateBases(): { readonly crtBase: string | null; readonly caBase: string | null } {
    const { directory } = this;
    const within = (base: string | null) => (base === null ? directory : resolvePath(base, directory));
    return { crtBase: within(this.global.crtBase), caBase: within(this.global.caBase) };
  }

  /** Bytes of a file that the configuration names; null when it cannot be read. */
  readFile(path: string): Uint8Array | null {
    return this.environment.readFile(resolvePath(path, this.directory));
  }

  #adoptAcl(key: string, adopt: () => Acl): Acl {
    const known = this.adoptedAcls.get(key) ?? adopt();
    this.adoptedAcls.set(key, known);
    return known;
  }

  contextFor(draft: ProxyDraft | null, direction: "request" | "response"): ExpressionContext {
    return {
      direction,
      proxyName: draft?.name ?? "",
      proxyKind: draft?.kind ?? "global",
      mode: draft?.mode ?? null,
      acls: draft?.acls ?? new Map(),
      names: this.names,
      stickTables: this.stickTables,
      caches: this.caches,
      noteServer: (name) => void this.namedServers.add(name),
      variable: (name) => this.variable(name),
      report: (diagnostic) => this.report.add(diagnostic),
      readFile: (path) => this.readFile(path),
      usePatternFile: (path, hasValues, use) =>
        this.patternLists.useFile(path, hasValues, use, (file) => this.readFile(file)),
      patternsOf: (list) => this.patternLists.entriesOf(list),
      addPatterns: (criterion, patterns, use, id) => this.patternLists.addOwn(criterion, patterns, use, id),
      hasPatternFile: (path) => this.patternLists.has(path),
      adoptAcl: (name, adopt) => this.#adoptAcl(`${draft?.name ?? ""} ${name}`, adopt),
      deferCheck: (check) => {
        this.deferred.push(check);
      },
      httpErrorReply: (section, status) => this.httpErrors.get(section)?.get(status) ?? null,
      hasHttpErrors: (section) => this.httpErrors.has(section),
      captures: captureSlots(draft),
    };
  }
}

/** One line of a proxy section with everything its reader may need. */
export interface ProxyLine {
  readonly reading: Reading;
  readonly report: Report;
  readonly draft: ProxyDraft;
  readonly words: readonly Word[];
  readonly keyword: Word;
  readonly modifier: Line["modifier"];
  readonly span: Span;
}

/** A cursor on the words behind the keyword, or behind the first `skip` words. */
export function cursorOf(line: ProxyLine, skip = 1): Cursor {
  return new Cursor(line.words, skip, line.report);
}

function captureSlots(draft: ProxyDraft | null): ExpressionContext["captures"] {
  const request = draft?.requestCaptures ?? [];
  const response = draft?.responseCaptures ?? [];
  return {
    get requestCount() {
      return request.length;
    },
    get responseCount() {
      return response.length;
    },
    addRequestSlot: (length) => request.push({ header: null, length }) - 1,
    addResponseSlot: (length) => response.push({ header: null, length }) - 1,
  };
}

/** Bytes as text with one UTF-16 unit per byte. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
}
