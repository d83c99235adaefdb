// The PROXY header that a server line asks for (`send-proxy`, `send-proxy-v2`, `proxy-v2-options`): who the
// client is.

import type { Server } from "../../model/proxy.ts";
import {
  encodeProxyFacts,
  encodeProxyHeaderV1,
  encodeProxyHeaderV2,
} from "../../protocol/proxy-protocol/encode.ts";
import type { ProxyFacts, ProxySslFacts } from "../../protocol/proxy-protocol/proxy-header.ts";
import type { TlsFacts } from "../../transport/contract.ts";
import { certificateIn, keyWord, nameEntry } from "../rules/fetches/certificate.ts";
import type { Stream } from "../stream.ts";

export function encodeProxyHeader(stream: Stream, settings: NonNullable<Server["sendProxy"]>): Uint8Array {
  const { source, destination } = stream.session;
  const addresses = { source, destination };
  if (settings.version === 1) return encodeProxyHeaderV1(addresses);
  const fields = encodeProxyFacts(factsOf(stream, settings.tlvs));
  return encodeProxyHeaderV2(addresses, fields, settings.tlvs.includes("crc32c"));
}

/** `tlvs` are the words of `proxy-v2-options`, those of `send-proxy-v2-ssl` and `-cn` with them. */
function factsOf(stream: Stream, tlvs: readonly string[]): Partial<ProxyFacts> {
  const { tls } = stream.session;
  const wants = (name: string) => tlvs.includes(name);
  return {
    alpn: tls === null || tls.alpn === "" ? null : tls.alpn,
    authority: wants("authority") && tls !== null && tls.serverName !== "" ? tls.serverName : null,
    uniqueId:
      wants("unique-id") && stream.uniqueId !== null
        ? Buffer.from(stream.uniqueId, "latin1").subarray(0, 128)
        : null,
    ssl: SSL_WORDS.some(wants) ? sslFacts(tls, wants) : null,
  };
}

/** Each of them asks for the field, and all but the first for a part of it. */
const SSL_WORDS = ["ssl", "cert-cn", "ssl-cipher", "cert-sig", "cert-key"];

/**
 * The name is the client's, key and signature are of the certificate that we have shown, as HAProxy has it.
 */
function sslFacts(tls: TlsFacts | null, wants: (name: string) => boolean): ProxySslFacts {
  if (tls === null) return CLEAR;
  const { peerCertificate, ownCertificate } = tls;
  const peer = peerCertificate === null || !wants("cert-cn") ? null : certificateIn(peerCertificate);
  const own = ownCertificate === null || !wants("cert-sig") ? null : certificateIn(ownCertificate);
  return {
    isTls: true,
    hasCertificate: peerCertificate !== null && !tls.isResumed,
    hadCertificate: peerCertificate !== null,
    verifyResult: tls.verifyResult,
    version: tls.version,
    commonName: peer === null ? null : (nameEntry(peer.subject, "CN", 1) ?? null),
    cipher: wants("ssl-cipher") ? tls.cipher : null,
    signatureAlgorithm: own?.signatureAlgorithm ?? null,
    keyAlgorithm: ownCertificate !== null && wants("cert-key") ? keyWord(ownCertificate) : null,
  };
}

const CLEAR: ProxySslFacts = {
  isTls: false,
  hasCertificate: false,
  hadCertificate: false,
  verifyResult: 0,
  version: null,
  commonName: null,
  cipher: null,
  signatureAlgorithm: null,
  keyAlgorithm: null,
};
