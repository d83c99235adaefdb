// `issuers-chain-path`: a directory of files with the certificates of authorities. A certificate whose own
// file has no chain is shown with that of the file whose first certificate has issued it, as it stands there.
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { CertificateMaterial } from "../../transport/contract.ts";
import { fileDiagnostic } from "../source-files.ts";
import { type CertificateDisk, realDisk } from "./certificate-disk.ts";
import { isCertificateBlock, splitPem } from "./pem.ts";

export interface IssuerChain {
  readonly file: string;
  /** The issuer first. */
  readonly pem: string;
}

export function readIssuerChains(
  path: string | null,
  span: Span,
  diagnostics: Diagnostic[],
  disk: CertificateDisk = realDisk,
): readonly IssuerChain[] {
  if (path === null) return [];
  const warn = (message: string) =>
    diagnostics.push({
      code: "certificate-absent",
      severity: "warning",
      span,
      message,
      help: null,
      related: [],
    });
  try {
    const names = disk.listFiles(path);
    if (names === null) throw Object.assign(new Error("not a directory"), { code: "ENOTDIR" });
    return [...names].sort().flatMap((name) => {
      const file = join(path, name);
      const pem = certificatesIn(Buffer.from(disk.readFile(file)).toString("latin1"));
      if (pem === "") warn(`${file} holds no certificate, so it completes no chain`);
      return pem === "" ? [] : [{ file, pem }];
    });
  } catch (error) {
    diagnostics.push(fileDiagnostic("file-unreadable", span, error));
    return [];
  }
}

/** What is to be shown behind the certificate; null when its own file says so, or nobody has issued it. */
export function issuerChainOf(
  { certificatePem }: Pick<CertificateMaterial, "certificatePem">,
  chains: readonly IssuerChain[],
): IssuerChain | null {
  if (chains.length === 0) return null;
  const own = splitPem(certificatePem).filter(isCertificateBlock);
  if (own.length !== 1) return null;
  const leaf = new X509Certificate(own[0]!.text);
  // Who vouches for himself needs nobody behind him.
  if (leaf.checkIssued(leaf)) return null;
  return chains.find(({ pem }) => leaf.checkIssued(new X509Certificate(pem))) ?? null;
}

function certificatesIn(text: string): string {
  const blocks = splitPem(text).filter(isCertificateBlock);
  try {
    for (const block of blocks) new X509Certificate(block.text);
  } catch {
    return "";
  }
  return blocks.map((block) => block.text).join("");
}
