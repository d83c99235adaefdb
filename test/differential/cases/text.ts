// Short ways to write requests and responses byte for byte.

/** A request without body; lines of `headers` are separated by "\n". */
export function get(target: string, headers: string = "", start: string = "GET"): string {
  return `${start} ${target} HTTP/1.1\r\nHost: shop.example\r\n${lines(headers)}\r\n`;
}

/** A request with a body and its Content-Length. */
export function post(target: string, body: string, headers: string = ""): string {
  return get(target, `${headers === "" ? "" : `${headers}\n`}Content-Length: ${body.length}`, "POST") + body;
}

export function old(target: string, headers: string = ""): string {
  return `GET ${target} HTTP/1.0\r\n${lines(headers)}\r\n`;
}

export function ok(body: string = "hello", headers: string = "", status: string = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n${lines(headers)}\r\n${body}`;
}

/** A head alone. */
export function head(status: string, headers: string = ""): string {
  return `HTTP/1.1 ${status}\r\n${lines(headers)}\r\n`;
}

export function chunked(...parts: readonly string[]): string {
  return `${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("")}0\r\n\r\n`;
}

function lines(headers: string): string {
  return headers === "" ? "" : `${headers.split("\n").join("\r\n")}\r\n`;
}
