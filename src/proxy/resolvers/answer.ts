// What a message of a nameserver says about a name that was asked for: addresses, services, or why there are
// none. Only records that lead from the question to the answer count; what else stands in the message is left
// out.
import {
  type DnsMessage,
  type DnsRecord,
  type QuestionType,
  RESPONSE_CODE,
} from "../../protocol/dns/message.ts";

/** Aliases that lead to one another. */
const ALIASES_MAX = 16;

export interface KnownAddress {
  readonly family: 4 | 6;
  readonly address: string;
}

export interface KnownService {
  readonly target: string;
  readonly port: number;
  /** 0 to 65535. */
  readonly weight: number;
  /** Of the target, if the nameserver has told them along. */
  readonly addresses: readonly KnownAddress[];
}

export type AnswerFault =
  /** There is no such name. */
  | "nx"
  | "refused"
  /** It has nothing of the type in question. */
  | "empty"
  /** Aliases that lead nowhere. */
  | "alias"
  | "truncated"
  | "invalid"
  | "other";

export type Answer =
  | { readonly kind: "addresses"; readonly addresses: readonly KnownAddress[]; readonly hasAlias: boolean }
  | { readonly kind: "services"; readonly services: readonly KnownService[] }
  | { readonly kind: "fault"; readonly fault: AnswerFault };

/** `message` is an answer to that very question. */
export function readAnswer(message: DnsMessage, name: string, type: QuestionType): Answer {
  if (message.isTruncated) return faulty("truncated");
  if (message.code === RESPONSE_CODE.noSuchName) return faulty("nx");
  if (message.code === RESPONSE_CODE.refused) return faulty("refused");
  if (message.code !== RESPONSE_CODE.none) return faulty("other");
  if (message.answers.length === 0) return faulty("empty");
  const end = endOfAliases(message.answers, name);
  if (end === null) return faulty("alias");
  if (type === "SRV") return readServices(message, end);
  const addresses = addressesOf(message.answers, end, type === "A" ? 4 : 6);
  if (addresses.length > 0) return { kind: "addresses", addresses, hasAlias: end !== name };
  return faulty(end === name ? "empty" : "alias");
}

function faulty(fault: AnswerFault): Answer {
  return { kind: "fault", fault };
}

/** The name that has no alias any more; null when they go round in circles. */
function endOfAliases(records: readonly DnsRecord[], name: string): string | null {
  const targets = new Map<string, string>();
  for (const record of records) if (record.kind === "alias") targets.set(record.name, record.target);
  let end = name;
  for (let i = 0; i <= ALIASES_MAX; i++) {
    const target = targets.get(end);
    if (target === undefined) return end;
    end = target;
  }
  return null;
}

/**
 * "0.0.0.0" is said of names that are blocked; a server there would be wherever its client wanted to go,
 * which may be ourselves.
 */
function isUsableAddress(record: DnsRecord): record is Extract<DnsRecord, { kind: "address" }> {
  return record.kind === "address" && record.address !== "0.0.0.0" && record.address !== "::";
}

function addressesOf(records: readonly DnsRecord[], name: string, family: 4 | 6 | null): KnownAddress[] {
  const found = new Map<string, KnownAddress>();
  for (const record of records) {
    if (!isUsableAddress(record) || record.name !== name) continue;
    if (family === null || record.family === family)
      found.set(record.address, { family: record.family, address: record.address });
  }
  return [...found.values()];
}

/** A target "" says that there is no such service (RFC 2782). HAProxy takes no notice of priorities. */
function readServices({ answers, additional }: DnsMessage, name: string): Answer {
  const addresses = new Map<string, KnownAddress[]>();
  for (const record of additional) {
    if (!isUsableAddress(record)) continue;
    const { family, address } = record;
    const known = addresses.get(record.name) ?? [];
    known.push({ family, address });
    addresses.set(record.name, known);
  }
  const services = new Map<string, KnownService>();
  for (const record of answers) {
    if (record.kind !== "service" || record.name !== name || record.target === "") continue;
    const { target, port, weight } = record;
    const known = addresses.get(target) ?? [];
    services.set(`${target}:${port}`, { target, port, weight, addresses: known });
  }
  return services.size === 0 ? faulty("empty") : { kind: "services", services: [...services.values()] };
}
