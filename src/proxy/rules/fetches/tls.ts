// Fetches on TLS, on both sides (HAProxy manual 7.3.4). On a clear connection there is no value, apart from
// the yes-or-no questions that HAProxy answers with "no".
import type { TlsFacts } from "../../../transport/contract.ts";
import type { Stream } from "../../stream.ts";
import { type FetchCompiler, integerParameter, textParameter } from "../fetch.ts";
import { latin1 } from "../sample-cast.ts";
import type { SampleValue } from "../sample-value.ts";
import { type Certificate, certificateIn, formatName, nameEntry } from "./certificate.ts";

type CertificatePart =
  | "der"
  | "i_dn"
  | "key_alg"
  | "notafter"
  | "notbefore"
  | "s_dn"
  | "serial"
  | "sha1"
  | "sig_alg"
  | "version";

type Names =
  | "ssl_fc"
  | "ssl_fc_alg_keysize"
  | "ssl_fc_alpn"
  | "ssl_fc_cipher"
  | "ssl_fc_has_crt"
  | "ssl_fc_has_early"
  | "ssl_fc_has_sni"
  | "ssl_fc_is_resumed"
  | "ssl_fc_protocol"
  | "ssl_fc_sni"
  | "ssl_fc_use_keysize"
  | "ssl_c_ca_err"
  | "ssl_c_ca_err_depth"
  | "ssl_c_chain_der"
  | "ssl_c_err"
  | "ssl_c_used"
  | "ssl_c_verify"
  | `ssl_${"c" | "f" | "s"}_${CertificatePart}`
  | "ssl_s_chain_der"
  | "ssl_bc"
  | "ssl_bc_alg_keysize"
  | "ssl_bc_alpn"
  | "ssl_bc_cipher"
  | "ssl_bc_is_resumed"
  | "ssl_bc_protocol"
  | "ssl_bc_use_keysize";

export const TLS_FETCHES: Readonly<Record<Names, FetchCompiler>> = {
  ssl_fc: () => (stream) => stream.session.tls !== null,
  ssl_fc_alg_keysize: ofTls(clientSide, keyBits),
  ssl_fc_alpn: ofTls(clientSide, (tls) => tls.alpn || undefined),
  ssl_fc_cipher: ofTls(clientSide, (tls) => tls.cipher),
  ssl_fc_has_crt: ofTls(clientSide, (tls) => tls.peerCertificate !== null),
  // 0-RTT is never taken, as a request in it could be sent again by others.
  ssl_fc_has_early: ofTls(clientSide, () => false),
  ssl_fc_has_sni: () => (stream) => (stream.session.tls?.serverName ?? "") !== "",
  ssl_fc_is_resumed: ofTls(clientSide, (tls) => tls.isResumed),
  ssl_fc_protocol: ofTls(clientSide, (tls) => tls.version),
  ssl_fc_sni: ofTls(clientSide, (tls) => tls.serverName || undefined),
  ssl_fc_use_keysize: ofTls(clientSide, keyBits),
  // No error of a certificate is ever ignored: one that has any ends the handshake.
  ssl_c_ca_err: ofTls(clientSide, () => 0),
  ssl_c_ca_err_depth: ofTls(clientSide, () => 0),
  ssl_c_err: ofTls(clientSide, () => 0),
  ssl_c_chain_der: ofTls(clientSide, (tls) => derOf(tls.peerChain)),
  ssl_c_used: ofTls(clientSide, (tls) => tls.peerCertificate !== null),
  ssl_c_verify: ofTls(clientSide, (tls) => tls.verifyResult),
  ssl_c_der: derFetch(clientCertificate),
  ssl_c_i_dn: nameFetch(clientCertificate, (certificate) => certificate.issuer),
  ssl_c_key_alg: ofCertificate(clientCertificate, (certificate) => certificate.keyAlgorithm),
  ssl_c_notafter: ofCertificate(clientCertificate, (certificate) => certificate.notAfter),
  ssl_c_notbefore: ofCertificate(clientCertificate, (certificate) => certificate.notBefore),
  ssl_c_s_dn: nameFetch(clientCertificate, (certificate) => certificate.subject),
  ssl_c_serial: ofCertificate(clientCertificate, (certificate) => certificate.serial),
  ssl_c_sha1: ofCertificate(clientCertificate, (certificate) => certificate.sha1),
  ssl_c_sig_alg: ofCertificate(clientCertificate, (certificate) => certificate.signatureAlgorithm),
  ssl_c_version: ofCertificate(clientCertificate, (certificate) => certificate.version),
  ssl_f_der: derFetch(ownCertificate),
  ssl_f_i_dn: nameFetch(ownCertificate, (certificate) => certificate.issuer),
  ssl_f_key_alg: ofCertificate(ownCertificate, (certificate) => certificate.keyAlgorithm),
  ssl_f_notafter: ofCertificate(ownCertificate, (certificate) => certificate.notAfter),
  ssl_f_notbefore: ofCertificate(ownCertificate, (certificate) => certificate.notBefore),
  ssl_f_s_dn: nameFetch(ownCertificate, (certificate) => certificate.subject),
  ssl_f_serial: ofCertificate(ownCertificate, (certificate) => certificate.serial),
  ssl_f_sha1: ofCertificate(ownCertificate, (certificate) => certificate.sha1),
  ssl_f_sig_alg: ofCertificate(ownCertificate, (certificate) => certificate.signatureAlgorithm),
  ssl_f_version: ofCertificate(ownCertificate, (certificate) => certificate.version),
  ssl_s_der: derFetch(serverCertificate),
  ssl_s_i_dn: nameFetch(serverCertificate, (certificate) => certificate.issuer),
  ssl_s_key_alg: ofCertificate(serverCertificate, (certificate) => certificate.keyAlgorithm),
  ssl_s_notafter: ofCertificate(serverCertificate, (certificate) => certificate.notAfter),
  ssl_s_notbefore: ofCertificate(serverCertificate, (certificate) => certificate.notBefore),
  ssl_s_s_dn: nameFetch(serverCertificate, (certificate) => certificate.subject),
  ssl_s_serial: ofCertificate(serverCertificate, (certificate) => certificate.serial),
  ssl_s_sha1: ofCertificate(serverCertificate, (certificate) => certificate.sha1),
  ssl_s_sig_alg: ofCertificate(serverCertificate, (certificate) => certificate.signatureAlgorithm),
  ssl_s_version: ofCertificate(serverCertificate, (certificate) => certificate.version),
  ssl_s_chain_der: ofTls(serverSide, (tls) => derOf(tls.peerChain)),
  ssl_bc: () => (stream) => (stream.serverConnection?.tls ?? null) !== null,
  ssl_bc_alg_keysize: ofTls(serverSide, keyBits),
  ssl_bc_alpn: ofTls(serverSide, (tls) => tls.alpn || undefined),
  ssl_bc_cipher: ofTls(serverSide, (tls) => tls.cipher),
  ssl_bc_is_resumed: ofTls(serverSide, (tls) => tls.isResumed),
  ssl_bc_protocol: ofTls(serverSide, (tls) => tls.version),
  ssl_bc_use_keysize: ofTls(serverSide, keyBits),
};

function clientSide(stream: Stream): TlsFacts | null {
  return stream.session.tls;
}

function serverSide(stream: Stream): TlsFacts | null {
  return stream.serverConnection?.tls ?? null;
}

function ofTls(
  side: (stream: Stream) => TlsFacts | null,
  read: (tls: TlsFacts) => SampleValue | undefined,
): FetchCompiler {
  return () => (stream) => {
    const tls = side(stream);
    return tls === null ? undefined : read(tls);
  };
}

/** Bits of the key of a cipher such as "TLS_AES_128_GCM_SHA256", which its name tells. */
function keyBits(tls: TlsFacts): number {
  if (/3DES|DES-CBC3/.test(tls.cipher)) return 168;
  return /128/.test(tls.cipher) ? 128 : 256;
}

function derOf(der: Uint8Array | null): string | undefined {
  return der === null ? undefined : latin1(der);
}

type ReadDer = (stream: Stream) => Uint8Array | null;

function clientCertificate(stream: Stream): Uint8Array | null {
  return stream.session.tls?.peerCertificate ?? null;
}

function ownCertificate(stream: Stream): Uint8Array | null {
  return stream.session.tls?.ownCertificate ?? null;
}

function serverCertificate(stream: Stream): Uint8Array | null {
  return stream.serverConnection?.tls?.peerCertificate ?? null;
}

function derFetch(locate: ReadDer): FetchCompiler {
  return () => (stream) => derOf(locate(stream));
}

function ofCertificate(
  locate: ReadDer,
  read: (certificate: Certificate) => SampleValue | undefined,
): FetchCompiler {
  return () => (stream) => {
    const der = locate(stream);
    const certificate = der === null ? null : certificateIn(der);
    return certificate === null ? undefined : read(certificate);
  };
}

/** Without parameters "/C=…/O=…/CN=…", else the entry at an occurrence: `ssl_c_s_dn(CN,1)`. */
function nameFetch(
  locate: ReadDer,
  select: (certificate: Certificate) => Certificate["subject"],
): FetchCompiler {
  return (parameters, environment) => {
    const entry = textParameter(parameters, 0);
    const occurrence = integerParameter(parameters, 1) ?? 1;
    const isRfc2253 = textParameter(parameters, 2) === "rfc2253";
    const read = (certificate: Certificate) =>
      entry === ""
        ? formatName(select(certificate), isRfc2253)
        : nameEntry(select(certificate), entry, occurrence);
    return ofCertificate(locate, read)(parameters, environment);
  };
}
