import assert from "node:assert/strict";
import { test } from "node:test";
import { linkName, namespaceName, plainTableName, safeName, tableName } from "./kernel-names.ts";

test("a short name stays readable, a long one is cut and keeps its difference", () => {
  assert.equal(linkName("n", "org"), "n-org");
  const [a, b] = [linkName("p", "database-server-one"), linkName("p", "database-server-two")];
  assert.ok(a.length <= 15 && b.length <= 15, `${a} ${b}`);
  assert.notEqual(a, b);
  assert.match(a, /^p-databa-/);
});

test("no name holds a sign that a shell, a path or nft could take for something else", () => {
  for (const name of ["a b", "../../etc", "x;y", "$(id)", "übung", "-f", "a\nb", "", "a/b"]) {
    for (const made of [linkName("p", name), namespaceName(name, name), safeName(name)])
      assert.match(made, /^[A-Za-z0-9_.+-]+$/, JSON.stringify(name));
    assert.ok(!safeName(name).startsWith("."), name);
  }
});

test("machines of copies have their copy's name before them", () => {
  assert.equal(namespaceName("company", "shop.test-a/web"), "sp.company.shop.test-a+web");
});

test("tables among the machine's own have the name of their datacentre, by which others are told apart", () => {
  assert.equal(tableName("sallyport_ports", "sp.company.switches", "company"), "sallyport_ports");
  for (const name of ["company", "büro-1", "x".repeat(63)]) {
    const table = tableName("sallyport_ports", null, name);
    assert.match(table, /^sallyport_ports\.[\w-]+$/);
    assert.equal(plainTableName(table, null, name), "sallyport_ports");
    assert.equal(plainTableName(table, null, "other"), null);
  }
  assert.equal(plainTableName("sallyport_ports", "sp.company.switches", "company"), "sallyport_ports");
});
