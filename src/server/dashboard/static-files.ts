// The built browser side: read once at the start, so that no path of a request meets the disk, and kept
// compressed. Files under /assets/ bear a hash in their name and are cached for good; every path that is no
// file is a page of the application, which finds its own way.
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, relative, sep } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { programFile } from "../../base/program-files.ts";
import { withSecurity } from "../console/pages.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
};
const COMPRESSIBLE: ReadonlySet<string> = new Set([".html", ".js", ".css", ".svg", ".json", ".webmanifest"]);
const FOR_GOOD = "public, max-age=31536000, immutable";

/** No script or style inside the page, and nothing from or to another host. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const NOT_BUILT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sallyport</title></head><body>
<h1>The dashboard's page is not built</h1>
<p>In a checkout, <code>npm run build</code> makes it. Its API answers: <a href="/api/v1/overview">/api/v1/overview</a>.</p>
</body></html>
`;

type Coding = "br" | "gzip" | "identity";

interface StaticFile {
  readonly type: string;
  readonly cacheControl: string;
  readonly bytes: Buffer;
  /** Made when somebody takes them, unless the build has. */
  readonly coded: Map<Coding, Buffer>;
  readonly isCompressible: boolean;
}

/** Where the package has it. */
export function builtDashboard(): string {
  return programFile("dashboard", "dist");
}

export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>;

  constructor(directory: string) {
    this.#files = readFiles(directory);
  }

  get isBuilt(): boolean {
    return this.#files.has("/index.html");
  }

  /** `path` as it came, without a query. */
  serve(path: string, request: IncomingMessage, response: ServerResponse): void {
    const isPage = !path.startsWith("/assets/") && extname(path) === "";
    const file = this.#files.get(path) ?? (isPage ? (this.#files.get("/index.html") ?? notBuilt()) : null);
    if (file === null) {
      response.writeHead(404, withSecurity({ "content-type": "text/plain; charset=utf-8" }));
      response.end("There is nothing here.\n");
      return;
    }
    const coding = file.isCompressible ? chooseCoding(request.headers["accept-encoding"]) : "identity";
    const body = codedBytes(file, coding);
    response.writeHead(
      200,
      withSecurity({
        "content-type": file.type,
        "content-length": String(body.length),
        "cache-control": file.cacheControl,
        "content-security-policy": POLICY,
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
        ...(file.isCompressible ? { vary: "Accept-Encoding" } : {}),
        ...(coding === "identity" ? {} : { "content-encoding": coding }),
      }),
    );
    response.end(request.method === "HEAD" ? undefined : body);
  }
}

function readFiles(directory: string): Map<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  for (const path of pathsBelow(directory)) {
    const url = `/${relative(directory, path).split(sep).join("/")}`;
    const extension = extname(path);
    const type = TYPES[extension];
    // What the build has compressed is beside the file that it is of.
    if (type === undefined) continue;
    const coded = new Map<Coding, Buffer>();
    for (const [coding, ending] of [
      ["br", ".br"],
      ["gzip", ".gz"],
    ] as const) {
      const bytes = readOrNull(path + ending);
      if (bytes !== null) coded.set(coding, bytes);
    }
    const bytes = readOrNull(path);
    if (bytes !== null) files.set(url, fileOf(bytes, extension, coded, url.startsWith("/assets/")));
  }
  return files;
}

function fileOf(bytes: Buffer, extension: string, coded: Map<Coding, Buffer>, isHashed: boolean): StaticFile {
  const cacheControl = isHashed ? FOR_GOOD : "no-cache";
  return { type: TYPES[extension]!, cacheControl, bytes, coded, isCompressible: COMPRESSIBLE.has(extension) };
}

function notBuilt(): StaticFile {
  return fileOf(Buffer.from(NOT_BUILT), ".html", new Map(), false);
}

function pathsBelow(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
  } catch {
    return [];
  }
}

function readOrNull(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

/** The smaller one of those that the browser takes. */
function chooseCoding(accepted: string | string[] | undefined): Coding {
  const text = String(accepted ?? "");
  const takes = (coding: string) => new RegExp(`\\b${coding}\\b(?!\\s*;\\s*q=0(?:\\.0*)?(?:,|$))`).test(text);
  return takes("br") ? "br" : takes("gzip") ? "gzip" : "identity";
}

const BROTLI_QUALITY = 9;

function codedBytes(file: StaticFile, coding: Coding): Buffer {
  if (coding === "identity") return file.bytes;
  let bytes = file.coded.get(coding);
  if (bytes === undefined) {
    const options = { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } };
    bytes = coding === "br" ? brotliCompressSync(file.bytes, options) : gzipSync(file.bytes);
    file.coded.set(coding, bytes);
  }
  return bytes;
}
