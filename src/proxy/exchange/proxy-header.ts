// The PROXY header that a server line asks for (`send-proxy`, `send-proxy-v2`, `proxy-v2-options`): who the
// client is.

import type { Server } from "../../model/proxy.ts";
import {
  encodeProxyFacts,
  encodeProxyHeaderV1,
  encodeProxyHeaderV2,
} from "../../protocol/proxy-protocol/encode.ts";
import type { ProxyFacts } from "../../protocol/proxy-protocol/proxy-header.ts";
import type { Stream } from "../stream.ts";

export function encodeProxyHeader(stream: Stream, settings: NonNullable<Server["sendProxy"]>): Uint8Array {
  const { source, destination } = stream.session;
  const addresses = { source, destination };
  if (settings.version === 1) return encodeProxyHeaderV1(addresses);
  const fields = encodeProxyFacts(factsOf(stream, settings.tlvs));
  return encodeProxyHeaderV2(addresses, fields, settings.tlvs.includes("crc32c"));
}

/** `tlvs` are the words of `proxy-v2-options`, plus "ssl" for `send-proxy-v2-ssl`. */
function factsOf(stream: Stream, tlvs: readonly string[]): Partial<ProxyFacts> {
  const { tls } = stream.session;
  const wants = (name: string) => tlvs.includes(name);
  const wantsSsl = wants("ssl") || wants("ssl-cipher") || wants("cert-cn");
  return {
    alpn: tls === null || tls.alpn === "" ? null : tls.alpn,
    authority: wants("authority") && tls !== null && tls.serverName !== "" ? tls.serverName : null,
    uniqueId:
      wants("unique-id") && stream.uniqueId !== null
        ? Buffer.from(stream.uniqueId, "latin1").subarray(0, 128)
        : null,
    ssl: !wantsSsl
      ? null
      : {
          isTls: tls !== null,
          hasCertificate: tls?.peerCertificate != null,
          hadCertificate: tls?.peerCertificate != null,
          verifyResult: tls?.verifyResult ?? 0,
          version: tls?.version ?? null,
          commonName: null,
          cipher: wants("ssl-cipher") ? (tls?.cipher ?? null) : null,
          signatureAlgorithm: null,
          keyAlgorithm: null,
        },
  };
}
