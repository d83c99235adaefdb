// Converters on JSON Web Tokens (RFC 7519, signed ones in their compact form) and on what is encrypted with
// AES-GCM. A token's claims are not judged: only what stands in it, and whether its signature is good.
import {
  createDecipheriv,
  createHmac,
  createPublicKey,
  type KeyObject,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { type ConverterCompiler, typed } from "../converter.ts";
import type { RuleEnvironment } from "../environment.ts";
import { textParameter } from "../fetch.ts";
import { toBinary } from "../sample-cast.ts";
import type { SampleValue } from "../sample-value.ts";
import { compileVariableRead, isVariableName, type ReadVariable } from "../variables.ts";
import { queryJson } from "./messages.ts";

type Names = "jwt_header_query" | "jwt_payload_query" | "jwt_verify" | "aes_gcm_dec";

export const TOKEN_CONVERTERS: Readonly<Record<Names, ConverterCompiler>> = {
  jwt_header_query: queryOf(0),
  jwt_payload_query: queryOf(1),
  jwt_verify: typed<string>((parameters, environment) => {
    const readAlgorithm = valueOrVariable(textParameter(parameters, 0), environment);
    const readKey = valueOrVariable(textParameter(parameters, 1), environment);
    const certificate = publicKeyOf(textParameter(parameters, 2));
    return (token, stream) => {
      const algorithm = readAlgorithm(stream);
      const key = readKey(stream);
      if (algorithm === undefined || key === undefined) return undefined;
      return verifyToken(token, toBinary(algorithm), toBinary(key), certificate);
    };
  }),
  aes_gcm_dec: typed<string>((parameters, environment) => {
    const bits = textParameter(parameters, 0);
    const reads = [1, 2, 3].map((index) => valueOrVariable(textParameter(parameters, index), environment));
    return (value, stream) => {
      const [nonce, key, tag] = reads.map((read) => Buffer.from(toBinary(read(stream) ?? ""), "base64"));
      return decrypt(Buffer.from(value, "latin1"), `aes-${bits}-gcm`, nonce!, key!, tag!);
    };
  }),
};

/** What `jwt_verify` answers, as the manual lists it. */
const VERDICT = {
  bad: 0,
  good: 1,
  unknownAlgorithm: -1,
  unmanagedAlgorithm: -2,
  invalidToken: -3,
  unknownCertificate: -5,
} as const;

/** Of two numbers on the curve that belongs to the hash (RFC 7518, 3.4). */
const SIGNATURE_BYTES: Readonly<Record<string, number>> = { "256": 64, "384": 96, "512": 132 };

const ALGORITHM = /^(?:(HS|RS|ES|PS)(256|384|512)|none)$/;

function verifyToken(token: string, name: string, key: string, certificate: KeyObject | null): number {
  const algorithm = ALGORITHM.exec(name);
  if (algorithm === null) return VERDICT.unknownAlgorithm;
  const [, family, bits] = algorithm;
  if (family === "PS") return VERDICT.unmanagedAlgorithm;
  const [header, payload, signatureText, ...more] = token.split(".");
  if (family === undefined) return (signatureText ?? "") === "" ? VERDICT.good : VERDICT.bad;
  if (signatureText === undefined || more.length > 0) return VERDICT.invalidToken;
  const signature = Buffer.from(signatureText, "base64url");
  if (signature.length === 0) return VERDICT.invalidToken;
  const signed = Buffer.from(`${header}.${payload}`, "latin1");
  if (family === "HS") {
    const own = createHmac(`sha${bits}`, Buffer.from(key, "latin1")).update(signed).digest();
    return own.length === signature.length && timingSafeEqual(own, signature) ? VERDICT.good : VERDICT.bad;
  }
  if (certificate === null) return VERDICT.unknownCertificate;
  if (certificate.asymmetricKeyType !== (family === "RS" ? "rsa" : "ec")) return VERDICT.bad;
  if (family === "ES" && signature.length < SIGNATURE_BYTES[bits!]!) return VERDICT.invalidToken;
  // Two numbers of the same length behind each other (RFC 7518, 3.4), no DER.
  const verifier = { key: certificate, dsaEncoding: "ieee-p1363" } as const;
  return verify(`sha${bits}`, signed, verifier, signature) ? VERDICT.good : VERDICT.bad;
}

/** Null for a text that holds no key. */
function publicKeyOf(pem: string): KeyObject | null {
  if (pem === "") return null;
  try {
    return createPublicKey(pem);
  } catch {
    return null;
  }
}

/** Without a path the whole part, decoded: so says the manual, and HAProxy 2.6.12 gives nothing. */
function queryOf(part: number): ConverterCompiler {
  return typed<string>((parameters) => {
    const path = textParameter(parameters, 0);
    const isInteger = textParameter(parameters, 1) === "int";
    return (token) => {
      const parts = token.split(".");
      const text = parts[part];
      if (parts.length < 2 || text === undefined || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
      const decoded = Buffer.from(text, "base64url").toString("latin1");
      return path === "" ? decoded : queryJson(decoded, path, isInteger);
    };
  });
}

/** Undefined when key or nonce have the wrong length, or the tag does not fit. */
function decrypt(data: Buffer, cipher: string, nonce: Buffer, key: Buffer, tag: Buffer): string | undefined {
  try {
    const decipher = createDecipheriv(cipher as "aes-128-gcm", key, nonce, { authTagLength: tag.length });
    decipher.setAuthTag(tag);
    return `${decipher.update(data, undefined, "latin1")}${decipher.final("latin1")}`;
  } catch {
    return undefined;
  }
}

function valueOrVariable(text: string, environment: RuleEnvironment): ReadVariable {
  if (isVariableName(text)) return compileVariableRead(text, environment);
  const value: SampleValue = text;
  return () => value;
}
