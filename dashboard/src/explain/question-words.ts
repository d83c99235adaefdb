// Questions of the page as words of the command line, and the fields of a request as a URL with headers: what
// is asked here can be asked in a terminal, and the answer is the same.

/** Fields of a request, as the page has them and as they stand in its address; "" for what is not said. */
export interface RequestFields {
  readonly url: string;
  readonly method: string;
  /** Where it is another one than the URL's. */
  readonly host: string;
  /** The name that the client names in the handshake (SNI), where it is another one than the URL's. */
  readonly tlsName: string;
  readonly cookie: string;
  /** "Name: value", a line each. */
  readonly headers: string;
}

export interface RequestWords {
  readonly url: string;
  readonly method: string | null;
  /** "Name: value". */
  readonly headers: readonly string[];
}

export interface PacketFields {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: string;
}

export const PACKET_FIELDS = ["from", "to", "protocol", "port"] as const;

/**
 * The words of `explain`, which take the name of the handshake from the URL: with another name there the
 * URL's own becomes the header Host.
 */
export function requestWords({ url, method, host, tlsName, cookie, headers }: RequestFields): RequestWords {
  const lines = headers
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const hasHost = lines.some((line) => /^host\s*:/i.test(line));
  const isTls = /^(https|wss|tls):/i.test(url);
  const named = tlsName === "" || !isTls ? null : withHost(url, tlsName);
  const wantedHost = host !== "" ? host : named === null ? "" : named.before;
  return {
    url: named?.url ?? url,
    method: method === "" || method === "GET" ? null : method,
    headers: [
      ...(wantedHost === "" || hasHost ? [] : [`Host: ${wantedHost}`]),
      ...(cookie === "" ? [] : [`Cookie: ${cookie}`]),
      ...lines,
    ],
  };
}

/** Null: it is no URL, which whoever is asked will say. */
function withHost(text: string, name: string): { readonly url: string; readonly before: string } | null {
  const whole = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  const match = /^([a-z]+:\/\/(?:[^/@]*@)?)(\[[^\]]*\]|[^/:?#]*)(:\d+)?(.*)$/i.exec(whole);
  if (match === null) return null;
  const [, scheme = "", host = "", port = "", rest = ""] = match;
  return { url: `${scheme}${name}${port}${rest}`, before: `${host}${port}` };
}

/** Protocol and port as words of their own; none where a port stands at the address, which says both. */
export function protocolWords({ to, protocol, port }: PacketFields): string[] {
  if (protocol === "icmp") return [protocol];
  const isAtAddress = /^[^:]*:\d+$|\]:\d+$/.test(to);
  return port === "" && isAtAddress ? [] : [protocol, port].filter((word) => word !== "");
}

/** `sallyport explain FILE FROM to TO …`, there and back, as the page asks. */
export function packetCommand(file: string, packet: PacketFields, request: RequestWords): string {
  const words = [packet.from, "to", packet.to, ...protocolWords(packet)];
  return commandLine(["sallyport", "explain", file, ...words, "--back", ...urlWords(request)]);
}

export function requestCommand(
  files: readonly string[],
  request: RequestWords,
  more: { readonly from: string; readonly to: string; readonly down: readonly string[] },
): string {
  const option = (name: string, value: string) => (value === "" ? [] : [name, value]);
  return commandLine([
    "sallyport",
    "explain",
    "request",
    ...files,
    request.url,
    ...methodWords(request),
    ...option("--from", more.from),
    ...option("--to", more.to),
    ...more.down.flatMap((server) => option("--down", server)),
  ]);
}

function urlWords(request: RequestWords): string[] {
  return [...(request.url === "" ? [] : ["--url", request.url]), ...methodWords(request)];
}

function methodWords({ method, headers }: RequestWords): string[] {
  return [...(method === null ? [] : ["-X", method]), ...headers.flatMap((header) => ["-H", header])];
}

function commandLine(words: readonly string[]): string {
  return words.map(quoted).join(" ");
}

/** As a POSIX shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w%+,./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
