import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIp } from "../../base/ip.ts";
import { countConnections } from "./open-connections.ts";

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 321EA8C0:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 321EA8C0:0050 631EA8C0:9C40 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 4 30 10 -1
   2: 321EA8C0:0050 631EA8C0:9C41 06 00000000:00000000 00:00000000 00000000     0        0 0 3 0
   3: 0B1EA8C0:0050 631EA8C0:9C42 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1
`;
const TCP6 = `  sl  local_address                         remote_address                        st
   0: 0000000000000000FFFF0000321EA8C0:0050 0000000000000000FFFF0000631EA8C0:9C43 08 0 0 0 0 0 4
   1: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0 0 0 0 0 5
`;

const IPV6 = `  sl  local_address                         remote_address                        st
   0: 000000FD000000000000000050000000:0050 000000FD000000000000000099000000:9C43 01 0 0 0 0 0 4
   1: 000000FD000000000000000050000000:0050 000000FD000000000000000099000000:9C44 06 0 0 0 0 0 5
`;

test("connections at the address count, also those of sockets of both families, until they are over", () => {
  const address = parseIp("192.168.30.50")!;
  assert.equal(countConnections([TCP, TCP6], address), 2);
  assert.equal(countConnections([TCP], parseIp("192.168.30.11")!), 1);
  assert.equal(countConnections([IPV6], parseIp("fd00::50")!), 1);
  assert.equal(countConnections(["", "garbage\nmore of it"], address), 0);
});
