// What a TLS handshake between the client and a listener comes to, as far as the configuration says.
import type { Bind } from "../../model/proxy.ts";
import type { TlsFacts } from "../../transport/contract.ts";
import type { ListenerRuntime } from "../runtime.ts";
import { chooseCertificate } from "./listener-choice.ts";
import type { Narrator } from "./narrator.ts";
import type { ExplainFacts, RequestQuestion } from "./question.ts";
import { TLS_1_3 } from "./virtual-engine.ts";

/** A sentence when it fails, else null. Either is told to the narrator. */
export function tellHandshake(
  { definition, frontend }: ListenerRuntime,
  question: RequestQuestion,
  facts: ExplainFacts,
  narrator: Narrator,
): string | null {
  const { tls } = question;
  const fail = (text: string): string => {
    narrator.add("tls", text, definition.span, { kind: "choice", level: "brief", outcome: "failed" });
    return text;
  };
  const add = (text: string): void => void narrator.add("tls", text, definition.span);
  if (definition.tls === null) {
    if (tls === null) return null;
    if (frontend.definition.mode !== "tcp")
      return fail(`the client speaks TLS to ${definition.text}, which has no ssl`);
    const name = tls.serverName === "" ? "there is no server name" : `server name ${tls.serverName}`;
    add(`TLS is not ended here; what its first message says can be read: ${name}`);
    return null;
  }
  if (tls === null) return fail(`${definition.text} speaks TLS, and the client does not: use https`);
  const certificate = chooseCertificate(definition.tls, tls.serverName, facts);
  if (certificate.kind === "refused") return fail(certificate.text);
  const place = definition.tls.certificates[certificate.path]?.span ?? definition.span;
  narrator.add("tls", certificate.text, place, { kind: "choice", level: "brief" });
  const { version, alpn } = tlsFactsOf(definition, question)!;
  add(`${version}${alpn === "" ? "" : `, protocol ${alpn}`}, ended here`);
  const { verify } = definition.tls;
  if (verify === "required")
    add("verify required: the client is taken to have a good certificate, without fields");
  if (verify === "optional") add("verify optional: the client is taken to show no certificate");
  return null;
}

/** Null on a clear connection, and where TLS is passed through. */
export function tlsFactsOf({ tls }: Bind, question: RequestQuestion): TlsFacts | null {
  const asked = question.tls;
  if (tls === null || asked === null) return null;
  const isOld = tls.maxVersion !== null && tls.maxVersion !== "TLSv1.3";
  return {
    ...TLS_1_3,
    version: tls.maxVersion ?? "TLSv1.3",
    cipher: isOld ? "ECDHE-RSA-AES256-GCM-SHA384" : TLS_1_3.cipher,
    serverName: asked.serverName,
    alpn: tls.alpn.find((protocol) => protocol !== "h2" && asked.alpn.includes(protocol)) ?? "",
  };
}
