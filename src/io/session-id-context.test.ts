import assert from "node:assert/strict";
import { test } from "node:test";
import { sessionIdContext } from "./session-id-context.ts";

test("sessions are kept apart by everything that judges a client's certificate, and by nothing else", () => {
  const clientVerify = { mode: "required", caPem: "a", crlPem: null } as const;
  const variants = [
    null,
    clientVerify,
    { ...clientVerify, mode: "optional" } as const,
    { ...clientVerify, caPem: "b" },
    { ...clientVerify, crlPem: "c" },
    { ...clientVerify, unnamedCaPem: "d" },
    { ...clientVerify, ignoredErrors: { ofClients: "all", ofAuthorities: [] } as const },
  ];
  const contexts = variants.map((variant) => sessionIdContext({ clientVerify: variant }));
  assert.equal(new Set(contexts).size, variants.length);
  assert.equal(sessionIdContext({ clientVerify: { ...clientVerify } }), contexts[1]);
  // OpenSSL takes no more.
  for (const context of contexts) assert.ok(Buffer.byteLength(context) <= 32);
});
