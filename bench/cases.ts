// What is measured: each case is one kind of work that wrk asks for, the same for every contender; of HTTP/2
// h2load does.

export interface BenchCase {
  readonly name: string;
  readonly title: string;
  readonly isTls: boolean;
  readonly path: string;
  readonly connections: number;
  /** A new connection, and with TLS a full handshake, for each request. */
  readonly closesEach: boolean;
  /** Of HTTP/2, at a time on each connection; 0: HTTP/1.1. */
  readonly streams: number;
  /** What the CPU time is divided by: requests, or MiB of bodies. */
  readonly per: "request" | "MiB";
  readonly bodyBytes: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const CASES: readonly BenchCase[] = [
  {
    name: "small",
    title: "HTTP/1.1 keep-alive, 101 B",
    isTls: false,
    path: "/small",
    connections: 64,
    closesEach: false,
    streams: 0,
    per: "request",
    bodyBytes: 101,
  },
  {
    name: "64k",
    title: "64 KiB bodies",
    isTls: false,
    path: "/64k",
    connections: 32,
    closesEach: false,
    streams: 0,
    per: "MiB",
    bodyBytes: 64 * KIB,
  },
  {
    name: "1m",
    title: "1 MiB bodies",
    isTls: false,
    path: "/1m",
    connections: 16,
    closesEach: false,
    streams: 0,
    per: "MiB",
    bodyBytes: MIB,
  },
  {
    name: "tls-small",
    title: "TLS 1.3 keep-alive, 101 B",
    isTls: true,
    path: "/small",
    connections: 64,
    closesEach: false,
    streams: 0,
    per: "request",
    bodyBytes: 101,
  },
  {
    name: "tls-handshake",
    title: "TLS 1.3 handshake + 1 request",
    isTls: true,
    path: "/small",
    connections: 32,
    closesEach: true,
    streams: 0,
    per: "request",
    bodyBytes: 101,
  },
  {
    name: "h2",
    title: "HTTP/2 over TLS, 10 streams, 101 B",
    isTls: true,
    path: "/small",
    connections: 32,
    closesEach: false,
    streams: 10,
    per: "request",
    bodyBytes: 101,
  },
];
