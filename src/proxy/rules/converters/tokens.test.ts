import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { test } from "node:test";
import type { Stream } from "../../stream.ts";
import type { RuleEnvironment } from "../environment.ts";
import { TOKEN_CONVERTERS } from "./tokens.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const curve = generateKeyPairSync("ec", { namedCurve: "P-256" });

function tokenBy(privateKey: KeyObject): string {
  const signed = ['{"alg":"-"}', '{"a":1}'].map((part) => Buffer.from(part).toString("base64url")).join(".");
  const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

/** No variables are read here, so neither environment nor stream is asked. */
function verdict(token: string, algorithm: string, publicKey: KeyObject | null): unknown {
  const pem = publicKey === null ? "" : publicKey.export({ type: "spki", format: "pem" }).toString();
  const convert = TOKEN_CONVERTERS.jwt_verify([algorithm, "key.pem", pem], {} as RuleEnvironment);
  return convert(token, {} as Stream);
}

// HAProxy 2.6.12 gave the same for tokens made like these.
test("a token is good only by the key and the algorithm that signed it", () => {
  const byCurve = tokenBy(curve.privateKey);
  const byRsa = tokenBy(rsa.privateKey);
  assert.equal(verdict(byCurve, "ES256", curve.publicKey), 1);
  assert.equal(verdict(byCurve, "ES256", rsa.publicKey), 0);
  assert.equal(verdict(byCurve.slice(0, -4), "ES256", curve.publicKey), -3);
  assert.equal(verdict(`${byCurve}AA`, "ES256", curve.publicKey), 0);
  assert.equal(verdict(byRsa, "RS256", rsa.publicKey), 1);
  assert.equal(verdict(byRsa, "RS512", rsa.publicKey), 0);
  assert.equal(verdict(byRsa, "RS256", curve.publicKey), 0);
  assert.equal(verdict(byRsa, "RS256", null), -5);
});

test("no signature of any length is more than wrong", () => {
  const [header, payload] = tokenBy(curve.privateKey).split(".");
  for (let length = 1; length < 300; length += 7) {
    const token = `${header}.${payload}.${Buffer.alloc(length, 7).toString("base64url")}`;
    for (const algorithm of ["ES256", "ES512"])
      assert.ok([0, -3].includes(verdict(token, algorithm, curve.publicKey) as number));
    assert.equal(verdict(token, "RS256", rsa.publicKey), 0);
  }
});
