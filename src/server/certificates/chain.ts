// Which certificate belongs to which key, and in which order a chain is sent: the leaf first, each followed
// by its issuer (RFC 8446 section 4.4.2). Files have them in any order; IIS exports often have the root
// first.
import type { KeyObject, X509Certificate } from "node:crypto";

/** The certificates of a chain, leaf first. */
export interface KeyWithChain {
  readonly key: KeyObject;
  readonly chain: readonly X509Certificate[];
}

/**
 * Pairs each key with its certificate and the issuers above it. Keys without a certificate are left out. With
 * a single pair, certificates that fit nowhere come last: the file's author may know why they are there.
 */
export function pairKeysWithChains(
  keys: readonly KeyObject[],
  certificates: readonly X509Certificate[],
): KeyWithChain[] {
  const distinct = [
    ...new Map(certificates.map((certificate) => [certificate.fingerprint256, certificate])).values(),
  ];
  const pairs = keys.flatMap((key) => {
    const leaf = distinct.find((certificate) => certificate.checkPrivateKey(key));
    return leaf === undefined ? [] : [{ key, chain: orderChain(leaf, distinct) }];
  });
  const [only, second] = pairs;
  if (only === undefined || second !== undefined) return pairs;
  return [
    {
      key: only.key,
      chain: [...only.chain, ...distinct.filter((certificate) => !only.chain.includes(certificate))],
    },
  ];
}

/** The leaf and, as far as `certificates` has them, its issuers upwards. */
function orderChain(leaf: X509Certificate, certificates: readonly X509Certificate[]): X509Certificate[] {
  const chain = [leaf];
  for (;;) {
    const last = chain.at(-1)!;
    if (last.checkIssued(last)) return chain;
    const issuer = certificates.find(
      (candidate) => !chain.includes(candidate) && last.checkIssued(candidate),
    );
    if (issuer === undefined) return chain;
    chain.push(issuer);
  }
}
