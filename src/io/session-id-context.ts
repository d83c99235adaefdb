// Whose sessions may be resumed where. Resuming does not verify again, so a client that was let in by other
// authorities, by an older revocation list or without a certificate has to shake hands anew. All workers
// come to the same name, and a reload that changes nothing of this keeps it.
import { createHash } from "node:crypto";
import type { TlsServerSpec } from "../transport/contract.ts";

/** At most 32 bytes, which is all that OpenSSL takes. */
export function sessionIdContext({ clientVerify }: Pick<TlsServerSpec, "clientVerify">): string {
  if (clientVerify === null) return "sallyport";
  return createHash("sha256").update(JSON.stringify(clientVerify)).digest("base64url").slice(0, 32);
}
