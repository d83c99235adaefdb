import assert from "node:assert/strict";
import { test } from "node:test";
import { refusePasswordHash, verifyPasswordHash } from "./password-hash.ts";

/** Made by glibc's crypt(3) and `openssl passwd`. */
const KNOWN: readonly (readonly [password: string, hash: string])[] = [
  ["Hello world!", "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"],
  ["Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"],
  [
    "Hello world!",
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
  ],
  [
    "we have a short salt string but not a short password",
    "$6$rounds=1400$anotherlongsalts$AP.vbZcNbWD30OfPAcUJe702LINHtb7RqILoLW9vJ/DHPMJyr6a.5rQHcOzBXuDOEzAqm8/9xW6EF/z3vOBQp0",
  ],
  ["password", "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/"],
  ["p", "$1$ab$lTzPedJomxi5Cai/PnmfX."],
];

test("passwords are checked against the hashes of crypt(3)", () => {
  for (const [password, hash] of KNOWN) {
    assert.equal(verifyPasswordHash(password, hash), true, hash);
    assert.equal(verifyPasswordHash(`${password}x`, hash), false, hash);
  }
});

test("hashes that cannot be checked say why and let nobody in", () => {
  assert.match(refusePasswordHash("rl.3StKT.4T8M")!, /^DES password hashes are not supported/);
  assert.match(refusePasswordHash("$2y$10$abc")!, /^bcrypt/);
  assert.equal(refusePasswordHash("$6$salt$x"), null);
  assert.equal(verifyPasswordHash("", "rl.3StKT.4T8M"), false);
});
