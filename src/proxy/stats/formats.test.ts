import assert from "node:assert/strict";
import { test } from "node:test";
import { COLUMNS } from "./columns.ts";
import { formatCsv } from "./csv.ts";
import { formatUptime } from "./info.ts";
import { formatJson, groupByProxy } from "./json.ts";
import { formatPrometheus } from "./prometheus.ts";
import { readPrometheusText } from "./prometheus-text.fixture.ts";
import { makeProxy, makeRow } from "./rows.fixture.ts";
import { formatTyped } from "./typed.ts";

const EVERYTHING = { scopes: new Set<never>(), isWithoutMaintenance: false };

test("the header of the CSV keeps the positions that the manual promises", () => {
  const header = formatCsv([]).trimEnd().slice(2).split(",");
  const positions = { pxname: 0, status: 17, rate: 33, check_status: 36, addr: 73, uweight: 99 };
  for (const [name, position] of Object.entries(positions)) assert.equal(header[position], name);
  assert.equal(header[103], "-");
  assert.equal(header.length, COLUMNS.length + 2);
});

test("a CSV field with a comma, a quote or a line end is quoted, and no other", () => {
  const rows = ["plain", "a,b", 'a"b', "a\nb"].map((text) =>
    makeRow("server", makeProxy("p"), "s", { last_chk: text }),
  );
  const lines = formatCsv(rows).split("\n").slice(1);
  assert.ok(lines[0]!.includes(",plain,"));
  assert.ok(lines[1]!.includes(',"a,b",'));
  assert.ok(lines[2]!.includes(',"a""b",'));
  assert.ok(`${lines[3]}\n${lines[4]}`.includes(',"a\nb",'));
});

test("every CSV line has as many fields as the header", () => {
  const [header, row] = formatCsv([makeRow("backend", makeProxy("p"), "BACKEND", { weight: 3 })]).split("\n");
  assert.equal(row!.split(",").length, header!.split(",").length);
});

test("the typed format names object, position and type, and leaves out what has no value", () => {
  const text = formatTyped([makeRow("backend", makeProxy("p", { id: 7 }), "BACKEND", { rate: 4, act: 1 })]);
  assert.ok(text.includes("B.7.0.33.rate.1:MGP:u32:4\n"), "a backend's rate is a gauge");
  assert.ok(text.includes("B.7.0.19.act.1:MGP:u32:1\n"));
  assert.ok(!text.includes("check_status"));
});

test("HAProxy's JSON carries the tags in words", () => {
  const [[field]] = JSON.parse(formatJson([makeRow("server", makeProxy("p"), "s")]));
  assert.deepEqual(field, {
    objType: "Server",
    proxyId: 2,
    id: 1,
    field: { pos: 0, name: "pxname" },
    processNum: 1,
    tags: { origin: "Key", nature: "Name", scope: "Service" },
    value: { type: "str", value: "p" },
  });
});

test("the plain JSON groups the rows by proxy", () => {
  const proxy = makeProxy("p");
  const rows = [
    makeRow("frontend", proxy, "FRONTEND"),
    makeRow("server", proxy, "s1"),
    makeRow("backend", proxy, "BACKEND"),
  ];
  const [group] = groupByProxy([...rows, makeRow("backend", makeProxy("q"), "BACKEND", { scur: 4 })]);
  assert.equal(group!.name, "p");
  assert.deepEqual(
    group!.servers.map(({ svname }) => svname),
    ["s1"],
  );
  assert.equal(groupByProxy(rows)[0]!.frontend!.svname, "FRONTEND");
});

test("labels of metrics are escaped, so that no name can forge a sample", () => {
  const row = makeRow("server", makeProxy('p"x\\\n'), "s", { weight: 1 });
  const weight = readPrometheusText(formatPrometheus([row], [], EVERYTHING)).get("haproxy_server_weight");
  assert.deepEqual([...weight!.samples], [['proxy="p\\"x\\\\\\n",server="s"', 1]]);
});

test("a server's state and the outcome of its check are 1 at one label and 0 at the others", () => {
  const row = makeRow("server", makeProxy("p"), "s", { status: "DOWN 1/2", check_status: "* L7STS" });
  const families = readPrometheusText(formatPrometheus([row], [], EVERYTHING));
  const ones = (name: string) =>
    [...families.get(name)!.samples].filter(([, value]) => value === 1).map(([labels]) => labels);
  assert.deepEqual(ones("haproxy_server_status"), ['proxy="p",server="s",state="DOWN"']);
  assert.deepEqual(ones("haproxy_server_check_status"), ['proxy="p",server="s",state="L7STS"']);
});

test("servers in maintenance can be left out of the metrics", () => {
  const rows = [makeRow("server", makeProxy("p"), "s", { status: "MAINT (via a/b)" })];
  assert.ok(formatPrometheus(rows, [], EVERYTHING).includes('server="s"'));
  assert.ok(
    !formatPrometheus(rows, [], { ...EVERYTHING, isWithoutMaintenance: true }).includes('server="s"'),
  );
});

test("a scope leaves only its metrics", () => {
  const rows = [makeRow("server", makeProxy("p"), "s"), makeRow("backend", makeProxy("p"), "BACKEND")];
  const text = formatPrometheus(rows, [], { scopes: new Set(["backend"]), isWithoutMaintenance: false });
  assert.ok([...readPrometheusText(text).keys()].every((name) => name.startsWith("haproxy_backend_")));
});

test("times are shown in seconds", () => {
  const text = formatPrometheus(
    [makeRow("backend", makeProxy("p"), "BACKEND", { rtime: 1234 })],
    [],
    EVERYTHING,
  );
  assert.ok(text.includes('haproxy_backend_response_time_average_seconds{proxy="p"} 1.234000\n'));
});

test("the uptime reads as HAProxy writes it", () => {
  assert.equal(formatUptime(2 * 86_400 + 3 * 3600 + 4 * 60 + 5), "2d 3h04m05s");
  assert.equal(formatUptime(0), "0d 0h00m00s");
});
