// Which listener a client reaches, and which certificate it is shown.
import type { Bind, BindTls } from "../../model/proxy.ts";
import { ServerNames } from "../../protocol/tls/server-names.ts";
import type { ListenerRuntime } from "../runtime.ts";
import type { ExplainFacts, RequestQuestion } from "./question.ts";

export type ListenerChoice =
  | {
      readonly kind: "chosen";
      readonly listener: ListenerRuntime;
      readonly others: readonly ListenerRuntime[];
    }
  | { readonly kind: "none"; readonly text: string };

/** An address of its own goes before "all addresses", as the kernel has it. */
export function chooseListener(
  listeners: readonly ListenerRuntime[],
  { host, port }: RequestQuestion["to"],
): ListenerChoice {
  const onPort = listeners.filter(
    ({ definition: { address } }) => address.kind === "tcp" && address.port === port,
  );
  const exact = onPort.filter(({ definition }) => host !== null && hostOf(definition) === host);
  const any = onPort.filter(({ definition }) => hostOf(definition) === null);
  const fitting = [...exact, ...any, ...(host === null ? onPort.filter((one) => !any.includes(one)) : [])];
  const [listener, ...rest] = fitting;
  if (listener !== undefined) {
    const isSame = (other: ListenerRuntime) => hostOf(other.definition) === hostOf(listener.definition);
    return { kind: "chosen", listener, others: host === null ? rest : rest.filter(isSame) };
  }
  const where = host === null ? `port ${port}` : host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const known = [...new Set(listeners.map(({ definition }) => definition.text))];
  const listens = known.length === 0 ? "nothing listens at all" : `there is ${known.join(", ")}`;
  return { kind: "none", text: `nothing listens on ${where}: ${listens}` };
}

/** Null: all addresses. */
function hostOf({ address }: Bind): string | null {
  if (address.kind !== "tcp") return null;
  return address.host === "0.0.0.0" || address.host === "::" || address.host === "*" ? null : address.host;
}

export type CertificateChoice =
  | { readonly kind: "shown"; readonly text: string; readonly path: number }
  | { readonly kind: "refused"; readonly text: string };

/** By server name, as the engines choose; the first certificate is for all other names. */
export function chooseCertificate(tls: BindTls, serverName: string, facts: ExplainFacts): CertificateChoice {
  const names = new ServerNames();
  const all: { readonly path: number; readonly names: readonly string[] }[] = [];
  for (const [path, certificate] of tls.certificates.entries()) {
    for (const own of facts.certificateNames.get(certificate.path) ?? [null]) {
      names.add(own ?? [], all.length);
      all.push({ path, names: own ?? [] });
    }
  }
  const asked = serverName === "" ? "without a server name" : `server name ${serverName}`;
  const found = serverName === "" ? -1 : names.find(serverName);
  const shown = all[Math.max(0, found)];
  if (shown === undefined) return { kind: "refused", text: "the listener has no certificate" };
  const { path } = tls.certificates[shown.path]!;
  const isUnread = tls.certificates.some((one) => !facts.certificateNames.has(one.path));
  const unread = isUnread ? "; not all certificates could be read here" : "";
  const described = `${path}${shown.names.length === 0 ? "" : ` (${shown.names.join(", ")})`}`;
  if (found >= 0) return { kind: "shown", text: `${asked}: certificate ${described}`, path: shown.path };
  if (tls.strictSni && !isUnread)
    return { kind: "refused", text: `${asked}: no certificate is for it, and strict-sni refuses it` };
  if (all.length === 1 && shown.names.length === 0)
    return { kind: "shown", text: `${asked}: certificate ${described}, the only one`, path: shown.path };
  return {
    kind: "shown",
    text: `${asked}: no certificate is for it, so the first is shown: ${described}${unread}`,
    path: shown.path,
  };
}
