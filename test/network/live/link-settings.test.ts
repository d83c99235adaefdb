import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { linkSettings } from "../../../src/driver/linux/link-settings.ts";
import {
  GET_LINKS,
  linksRequest,
  NETLINK_ROUTE,
  NEW_LINK,
  newLinkRequest,
} from "../../../src/driver/linux/netlink-message.ts";
import { openNamespaceDoor } from "../../../src/io/namespace-door.ts";

const door = openNamespaceDoor();
const skip = door === null ? "no foreign functions here" : process.getuid?.() === 0 ? false : "needs root";
const SETTINGS = [
  "ipv4/conf/odd/proxy_arp",
  "ipv4/conf/odd/send_redirects",
  "ipv4/conf/odd/rp_filter",
  "ipv4/conf/odd/promote_secondaries",
  "ipv6/conf/odd/disable_ipv6",
];

test("the settings of a device are those of /proc/sys, after each of them was changed too", { skip }, () => {
  door!.withinNew((ask) => {
    assert.deepEqual(ask(NETLINK_ROUTE, NEW_LINK, "new", newLinkRequest("odd", "bridge", [])), []);
    const read = () =>
      linkSettings(ask(NETLINK_ROUTE, GET_LINKS, "everything", linksRequest()) as Uint8Array[]);
    for (const setting of SETTINGS) {
      const path = `/proc/sys/net/${setting}`;
      const before = readFileSync(path, "utf8").trim();
      assert.equal(read()(`net/${setting}`), before, setting);
      writeFileSync(path, before === "0" ? "1" : "0");
      assert.equal(read()(`net/${setting}`), before === "0" ? "1" : "0", setting);
    }
    assert.equal(read()("net/ipv4/conf/all/rp_filter"), null);
    assert.equal(read()("net/ipv4/conf/other/rp_filter"), null);
    assert.equal(read()("net/ipv4/ip_forward"), null);
  });
});

test("an answer of many parts is whole", { skip }, () => {
  const names = Array.from({ length: 150 }, (_, index) => `odd${index}`);
  const found = door!.withinNew((ask) => {
    for (const name of names) ask(NETLINK_ROUTE, NEW_LINK, "new", newLinkRequest(name, "bridge", []));
    return linkSettings(ask(NETLINK_ROUTE, GET_LINKS, "everything", linksRequest()) as Uint8Array[]);
  });
  for (const name of names) assert.notEqual(found!(`net/ipv4/conf/${name}/rp_filter`), null, name);
});
