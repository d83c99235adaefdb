// `option http-restrict-req-hdr-names`: what becomes of requests with header names that applications may
// mistake for others, such as `x_user`, which CGI cannot tell from `x-user`.
import type { MessageHead } from "../../protocol/http1/message-head.ts";

const PLAIN = /^[A-Za-z0-9-]*$/;

/** Takes such headers out, or says by `false` that the request is to be refused. */
export function restrictNames(head: MessageHead, policy: "preserve" | "delete" | "reject" | null): boolean {
  if (policy === null || policy === "preserve") return true;
  for (let i = 0; i < head.headerCount; i++) {
    if (head.isRemovedAt(i) || PLAIN.test(head.nameAt(i))) continue;
    if (policy === "reject") return false;
    head.removeAt(i);
  }
  return true;
}
