// The demo's certificate: made at its first start, kept for its user, made anew when it is about to end.
import { X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { makeSelfSigned } from "../../server/certificates/self-signed.ts";

const FILE_NAME = "localhost.pem";
const WEEK_MS = 7 * 86_400_000;

/** Where the demo keeps its files, by the rules of the XDG base directories. */
export function demoDirectory(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const state = environment["XDG_STATE_HOME"] ?? "";
  return join(state === "" ? join(homedir(), ".local", "state") : state, "sallyport", "demo");
}

/** The path of a PEM file for localhost, and whether it was made just now. Throws like node:fs. */
export function ensureCertificate(
  directory: string,
  nowMs: number,
): { readonly path: string; readonly isNew: boolean } {
  const path = join(directory, FILE_NAME);
  if (isUsable(path, nowMs)) return { path, isNew: false };
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { certificatePem, keyPem } = makeSelfSigned(["localhost", "127.0.0.1", "::1"], nowMs);
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, certificatePem + keyPem, { mode: 0o600 });
  renameSync(draft, path);
  return { path, isNew: true };
}

function isUsable(path: string, nowMs: number): boolean {
  try {
    return new X509Certificate(readFileSync(path)).validToDate.getTime() > nowMs + WEEK_MS;
  } catch {
    return false;
  }
}
