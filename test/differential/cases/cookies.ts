// Every mode of `cookie`, one backend for each, chosen by the first word of the path.
import type { CaseGroup } from "../comparison.ts";
import { get, head, ok } from "./text.ts";

const MODES: readonly (readonly [name: string, cookie: string])[] = [
  ["insert", "cookie S insert"],
  ["indirect", "cookie S insert indirect"],
  ["nocache", "cookie S insert nocache"],
  ["postonly", "cookie S insert postonly"],
  ["preserve", "cookie S insert preserve"],
  ["preserve-indirect", "cookie S insert indirect preserve"],
  ["flags", "cookie S insert httponly secure domain shop.example attr SameSite=Lax"],
  ["prefix", "cookie S prefix"],
  ["rewrite", "cookie S rewrite"],
  ["rewrite-nocache", "cookie S rewrite nocache"],
  ["read", "cookie S"],
];

const own = (cookie: string) => [["read", ok("x", `Set-Cookie: ${cookie}`)]] as const;

export const COOKIES: CaseGroup = {
  name: "cookies",
  configuration: `
global
  log 127.0.0.1:{log} local5
defaults
  mode http
  log global
  option httplog
  timeout client 3s
  timeout server 3s
  timeout connect 1s
frontend web
  bind 127.0.0.1:{front1}
  capture cookie id len 20
  capture request header Host len 8
  capture request header X-Two len 4
  capture response header Server len 10
  use_backend %[path,word(1,/)]
${MODES.map(
  ([name, cookie]) => `backend ${name}
  ${cookie}
  server a 127.0.0.1:{a} cookie aa
  server b 127.0.0.1:{b} cookie bb
  server no-cookie 127.0.0.1:{c}`,
).join("\n")}
backend uses
  cookie S insert
  use-server b if { path_end /b }
  ignore-persist if { path_end /ignore }
  server a 127.0.0.1:{a} cookie aa
  server b 127.0.0.1:{b} cookie bb
backend forced
  cookie S insert
  force-persist if { hdr(X-Force) -m found }
  server a 127.0.0.1:{a} cookie aa disabled
  server b 127.0.0.1:{b} cookie bb
`,
  cases: [
    ...MODES.map(([name]) => ({
      name: `cookie ${name} for clients without, with, and with another cookie`,
      clients: [
        [get(`/${name}/`)],
        [get(`/${name}/`)],
        [get(`/${name}/`)],
        [get(`/${name}/`, "Cookie: S=bb")],
        [get(`/${name}/`, "Cookie: x=1; S=bb; y=2")],
        [get(`/${name}/`, "Cookie: S=zz")],
        [get(`/${name}/`, "Cookie: S=aa~own")],
        [get(`/${name}/`, "Cookie: S=bb", "POST")],
      ],
    })),
    ...MODES.map(([name]) => ({
      name: `cookie ${name} when the server sets the cookie itself`,
      clients: [[get(`/${name}/`)], [get(`/${name}/`, "Cookie: S=bb")]],
      servers: own("S=own; path=/"),
    })),
    {
      name: "a server that deletes the cookie",
      clients: [[get("/prefix/")], [get("/rewrite/")], [get("/insert/")]],
      servers: own("S=; expires=Thu, 01-Jan-1970 00:00:00 GMT"),
    },
    {
      name: "an empty cookie of a server",
      clients: [[get("/rewrite/")], [get("/prefix/")]],
      servers: own("S="),
    },
    {
      name: "several cookies of a server",
      clients: [[get("/rewrite/")]],
      servers: [["read", ok("x", "Set-Cookie: a=1\nSet-Cookie: S=own\nSet-Cookie: b=2")]],
    },
    {
      name: "use-server and ignore-persist",
      clients: [
        [get("/uses/b")],
        [get("/uses/b", "Cookie: S=aa")],
        [get("/uses/ignore", "Cookie: S=aa")],
        [get("/uses/", "Cookie: S=bb")],
      ],
    },
    {
      name: "force-persist reaches a disabled server",
      clients: [[get("/forced/", "Cookie: S=aa\nX-Force: 1")], [get("/forced/", "Cookie: S=aa")]],
    },
    {
      name: "nocache respects what the server says",
      clients: [[get("/nocache/")], [get("/nocache/")], [get("/nocache/", "Cookie: S=bb")]],
      servers: [
        ["read", ok("x", "Cache-Control: no-cache")],
        ["read", head("301 Moved", "Location: /\nContent-Length: 0")],
        ["read", ok("x")],
      ],
    },
    {
      name: "cookies and headers are captured",
      clients: [[get("/insert/", "Cookie: a=1; id=12345678901234567890; id=2\nX-Two: abcdef")]],
      servers: [["read", ok("x", "Server: a-long-server-name\nSet-Cookie: id=server; path=/")]],
    },
  ],
};
