// Which program this is, and whose language it reads.
import { readFileSync } from "node:fs";
import { programFile } from "../base/program-files.ts";
import { LANGUAGE_VERSION } from "../language/haproxy/environment.ts";

/** The version in package.json. */
export function programVersion(): string {
  const text = readFileSync(programFile("package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** One line without line feed. Scripts look for "version X" in the first line of `haproxy -v`. */
export function describeVersion(): string {
  const language = LANGUAGE_VERSION.split(".").slice(0, 2).join(".");
  return `Sallyport version ${programVersion()} - reads haproxy.cfg as HAProxy ${language}`;
}
