// Requests on which parsers are known to disagree. "/n" is replaced by a name of the test's own;
// "/n/smuggled" is what would be seen if one of them hid another.

const SMUGGLED = "GET /n/smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
const CHUNKED_BODY = "4\r\nabcd\r\n0\r\n\r\n";

const CODINGS = [
  "chunked", "Chunked", "chunked ", "\tchunked", "chunked,", "chunked, chunked", "identity", "identity, chunked",
  "chunked, identity", "gzip", "gzip, chunked", "\x0bchunked", "xchunked", '"chunked"', "chunked;q=1", "chunked\0",
  "chun\tked", "", "cow",
]; // biome-ignore format: a table

const CODING_NAMES = [
  "Transfer-Encoding ", "Transfer-Encoding\t", " Transfer-Encoding", "Transfer-Encoding\0", "Transfer\r\n-Encoding",
  "X: y\r\n Transfer-Encoding", "X: y\nTransfer-Encoding", "X: y\rTransfer-Encoding", "TRANSFER-ENCODING",
]; // biome-ignore format: a table

const LENGTHS = [
  "4", "+4", "-4", "4 ", "04", "0x4", "4,4", "4, 4", "4,5", "4;", "4.0", "4e0", "", "4\0", "4\t", "4 4", "\x0b4",
  "18446744073709551620", "9007199254740993",
]; // biome-ignore format: a table

const CHUNKS = [
  "4 \r\nabcd\r\n0\r\n\r\n", "4\nabcd\n0\n\n", "4\r\nabcd\n0\r\n\r\n", "4\rabcd\r0\r\r", "0x4\r\nabcd\r\n0\r\n\r\n",
  "+4\r\nabcd\r\n0\r\n\r\n", " 4\r\nabcd\r\n0\r\n\r\n", "4;a\r\nabcd\r\n0\r\n\r\n", '4;a="\r\n"\r\nabcd\r\n0\r\n\r\n',
  "4;\nabcd\r\n0\r\n\r\n", "4;a\rb\r\nabcd\r\n0\r\n\r\n", "4\r\nabcdX\r\n0\r\n\r\n", "4\r\nabcd0\r\n\r\n",
  "00000000000000004\r\nabcd\r\n0\r\n\r\n", "10000000000000004\r\nabcd\r\n0\r\n\r\n", "-1\r\n",
  "0\r\nContent-Length: 5\r\n\r\n", "0\r\nX y\r\n\r\n", "0\r\n X: y\r\n\r\n", "0\r\nX: y\r\n z\r\n\r\n",
  "0\r\nX: y\n\r\n", "0\r\n\n", "0\n\r\n", "0\r\n\rX\n", "\r\n4\r\nabcd\r\n0\r\n\r\n", "0;\r\n\r\n", "000\r\n\r\n",
]; // biome-ignore format: a table

const LINES = [
  "GET  /n HTTP/1.1", "GET\t/n\tHTTP/1.1", "GET /n HTTP/1.1 ", "GET /n", "GET /n HTTP/0.9", "GET /n HTTP/1.2",
  "GET /n HTTP/2.0", "GET /n HTTP/1.1\rX", "GET /n\0 HTTP/1.1", "GET /n\x7f HTTP/1.1", "GET n HTTP/1.1",
  "GET http://evil/n HTTP/1.1", "GET http://a/n HTTP/1.1", "GET /n#x HTTP/1.1", "GET /n HTTP/1.1\nX: y",
  "G(T /n HTTP/1.1", " GET /n HTTP/1.1", "GET /n http/1.1", "GET /n HTTP/1.10", "GET /n b HTTP/1.1", "PRI * HTTP/2.0",
]; // biome-ignore format: a table

const HEADERS = [
  "Host: a\r\nHost: b", "Host : a", "Host: a\r\n\tb", "Host:", "Host: a@b", "", "Host: a\0",
  "Host: a\r\nConnection: content-length\r\nContent-Length: 44", "Host: a\r\nConnection: host",
  "Host: a\r\nConnection: transfer-encoding\r\nTransfer-Encoding: chunked",
  "Host: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
  "Host: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 44", "Host: a\r\n: empty",
  "Host: a\r\nnocolon", "Host: a\r\nX: \x01", "Host: a\r\n(X): y", "Host: a\r\nX: a\rb", "Host: a\r\nX: a\nb: c",
]; // biome-ignore format: a table

function post(headers: string, body: string): string {
  return `POST /n HTTP/1.1\r\nHost: a\r\n${headers}\r\n${body}`;
}

export const NASTY_REQUESTS: readonly string[] = [
  ...CODINGS.flatMap((coding) => [
    post(`Transfer-Encoding: ${coding}\r\n`, CHUNKED_BODY),
    post(`Content-Length: 4\r\nTransfer-Encoding: ${coding}\r\n`, CHUNKED_BODY + SMUGGLED),
    post(`Transfer-Encoding: ${coding}\r\nContent-Length: 3\r\n`, `0\r\n\r\n${SMUGGLED}`),
  ]),
  ...CODING_NAMES.map((name) => post(`${name}: chunked\r\nContent-Length: 5\r\n`, `0\r\n\r\n${SMUGGLED}`)),
  post("Transfer-Encoding:\r\n chunked\r\n", CHUNKED_BODY),
  post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", CHUNKED_BODY),
  post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", CHUNKED_BODY),
  ...LENGTHS.flatMap((length) => [
    post(`Content-Length: ${length}\r\n`, "abcd"),
    post(`Content-Length: 4\r\nContent-Length: ${length}\r\n`, `abcd${SMUGGLED}`),
  ]),
  ...CHUNKS.map((chunks) => post("Transfer-Encoding: chunked\r\n", chunks + SMUGGLED)),
  ...LINES.map((line) => `${line}\r\nHost: a\r\n\r\n`),
  ...HEADERS.flatMap((headers) => [
    `GET /n HTTP/1.1\r\n${headers}\r\n\r\n${SMUGGLED}`,
    `POST /n HTTP/1.0\r\n${headers}\r\nConnection: keep-alive\r\n\r\n${SMUGGLED}`,
  ]),
  `\r\n\r\nGET /n HTTP/1.1\r\nHost: a\r\n\r\n`,
  `\rGET /n HTTP/1.1\r\nHost: a\r\n\r\n`,
  `POST /n HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED_BODY}`,
  `GET /n HTTP/1.0\r\nContent-Length: 4\r\n\r\nabcd`,
  `HEAD /n HTTP/1.1\r\nHost: a\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
];
