// PEM (RFC 7468): blocks of base64 between BEGIN and END lines, with any text around them.

export interface PemBlock {
  /** "CERTIFICATE", "RSA PRIVATE KEY", …. */
  readonly label: string;
  /** From the BEGIN line to the END line, with "\n" line ends and one at the end. */
  readonly text: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n([\s\S]*?)-----END \1-----/g;

/**
 * The blocks of a text in their order. What is not between BEGIN and a matching END is ignored, as OpenSSL
 * does.
 */
export function splitPem(text: string): PemBlock[] {
  return [...text.matchAll(BLOCK)].map((match) => ({
    label: match[1]!,
    text: `${match[0]!
      .split(/\r?\n/)
      .map((line) => line.trim())
      .join("\n")}\n`,
  }));
}

export function isCertificateBlock(block: PemBlock): boolean {
  return /^(X509 |TRUSTED )?CERTIFICATE$/.test(block.label);
}

export function isKeyBlock(block: PemBlock): boolean {
  return /^([A-Z0-9]+ )?PRIVATE KEY$/.test(block.label);
}

/** Whether the key in a block needs a password: by its label, or by the header of OpenSSL's older format. */
export function isEncryptedKeyBlock(block: PemBlock): boolean {
  return block.label === "ENCRYPTED PRIVATE KEY" || /^Proc-Type: *4, *ENCRYPTED/m.test(block.text);
}

/** The bytes of a block without headers. */
export function pemToDer(block: PemBlock): Uint8Array {
  return Buffer.from(block.text.replace(/-----[^\n]*-----/g, ""), "base64");
}

export function derToPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
