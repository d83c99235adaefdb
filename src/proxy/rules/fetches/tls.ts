// Fetches on TLS, on both sides (HAProxy manual 7.3.4). On a clear connection there is no value, apart from
// the yes-or-no questions that HAProxy answers with "no".
import type { TlsFacts } from "../../../transport/contract.ts";
import type { Stream } from "../../stream.ts";
import { type FetchCompiler, integerParameter, textParameter } from "../fetch.ts";
import { latin1 } from "../sample-cast.ts";
import type { SampleValue } from "../sample-value.ts";
import { type Certificate, formatName, nameEntry, readCertificate } from "./certificate.ts";

type Names =
  | "ssl_fc"
  | "ssl_fc_alpn"
  | "ssl_fc_cipher"
  | "ssl_fc_has_crt"
  | "ssl_fc_has_sni"
  | "ssl_fc_is_resumed"
  | "ssl_fc_protocol"
  | "ssl_fc_sni"
  | "ssl_c_used"
  | "ssl_c_verify"
  | "ssl_c_der"
  | "ssl_c_s_dn"
  | "ssl_c_i_dn"
  | "ssl_c_serial"
  | "ssl_c_sha1"
  | "ssl_c_notbefore"
  | "ssl_c_notafter"
  | "ssl_c_version"
  | "ssl_bc"
  | "ssl_bc_protocol"
  | "ssl_bc_cipher";

export const TLS_FETCHES: Readonly<Record<Names, FetchCompiler>> = {
  ssl_fc: () => (stream) => stream.session.tls !== null,
  ssl_fc_alpn: ofTls(clientSide, (tls) => tls.alpn || undefined),
  ssl_fc_cipher: ofTls(clientSide, (tls) => tls.cipher),
  ssl_fc_has_crt: ofTls(clientSide, (tls) => tls.peerCertificate !== null),
  ssl_fc_has_sni: () => (stream) => (stream.session.tls?.serverName ?? "") !== "",
  ssl_fc_is_resumed: ofTls(clientSide, (tls) => tls.isResumed),
  ssl_fc_protocol: ofTls(clientSide, (tls) => tls.version),
  ssl_fc_sni: ofTls(clientSide, (tls) => tls.serverName || undefined),
  ssl_c_used: ofTls(clientSide, (tls) => tls.peerCertificate !== null),
  ssl_c_verify: ofTls(clientSide, (tls) => tls.verifyResult),
  ssl_c_der: ofTls(clientSide, (tls) =>
    tls.peerCertificate === null ? undefined : latin1(tls.peerCertificate),
  ),
  ssl_c_s_dn: nameFetch((certificate) => certificate.subject),
  ssl_c_i_dn: nameFetch((certificate) => certificate.issuer),
  ssl_c_serial: ofCertificate((certificate) => certificate.serial),
  ssl_c_sha1: ofCertificate((certificate) => certificate.sha1),
  ssl_c_notbefore: ofCertificate((certificate) => certificate.notBefore),
  ssl_c_notafter: ofCertificate((certificate) => certificate.notAfter),
  ssl_c_version: ofCertificate((certificate) => certificate.version),
  ssl_bc: () => (stream) => (stream.serverConnection?.tls ?? null) !== null,
  ssl_bc_protocol: ofTls(serverSide, (tls) => tls.version),
  ssl_bc_cipher: ofTls(serverSide, (tls) => tls.cipher),
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

/** Read once per connection: the facts object is the key. */
const certificates = new WeakMap<TlsFacts, Certificate | null>();

function certificateOf(tls: TlsFacts): Certificate | null {
  let certificate = certificates.get(tls);
  if (certificate === undefined) {
    certificate = tls.peerCertificate === null ? null : readCertificate(tls.peerCertificate);
    certificates.set(tls, certificate);
  }
  return certificate;
}

function ofCertificate(read: (certificate: Certificate) => SampleValue | undefined): FetchCompiler {
  return ofTls(clientSide, (tls) => {
    const certificate = certificateOf(tls);
    return certificate === null ? undefined : read(certificate);
  });
}

/** Without parameters "/C=…/O=…/CN=…", else the entry at an occurrence: `ssl_c_s_dn(CN,1)`. */
function nameFetch(select: (certificate: Certificate) => Certificate["subject"]): FetchCompiler {
  return (parameters, environment) => {
    const entry = textParameter(parameters, 0);
    const occurrence = integerParameter(parameters, 1) ?? 1;
    const isRfc2253 = textParameter(parameters, 2) === "rfc2253";
    const read = (certificate: Certificate) =>
      entry === ""
        ? formatName(select(certificate), isRfc2253)
        : nameEntry(select(certificate), entry, occurrence);
    return ofCertificate(read)(parameters, environment);
  };
}
