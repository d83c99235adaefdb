// OpenSSL's own command, for what only a handshake or a certificate shows.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { findCommand } from "../requirements.ts";
import type { TestDirectory } from "./running-sallyport.ts";

/** All that it says. */
export function openssl(words: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(findCommand("openssl")!, words, { stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (bytes: Buffer) => (output += bytes.toString("latin1")));
    // It may have ended before it was told anything.
    child.stdin.on("error", () => {}).end(input);
    child.once("close", () => resolve(output));
  });
}

/**
 * File with a certificate for itself and its key: `key` as `openssl req -newkey` takes it, with what follows.
 */
export async function selfSigned(
  directory: TestDirectory,
  name: string,
  subject: string,
  key: readonly string[],
): Promise<string> {
  const [keyFile, certificateFile] = [directory.file("new.key"), directory.file("new.crt")];
  const files = ["-keyout", keyFile, "-out", certificateFile];
  await openssl(["req", "-x509", "-newkey", ...key, "-nodes", ...files, "-subj", subject]);
  return directory.file(`${name}.pem`, readFileSync(certificateFile, "utf8") + readFileSync(keyFile, "utf8"));
}
