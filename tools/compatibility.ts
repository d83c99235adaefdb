// Writes COMPATIBILITY.md from the reader's tables. With --check it writes nothing and fails if the file is
// stale.
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { renderCompatibility } from "../src/language/haproxy/compatibility.ts";

const url = new URL("../COMPATIBILITY.md", import.meta.url);
const wanted = renderCompatibility();

if (process.argv.includes("--check")) {
  if (readExisting() !== wanted) {
    console.error("COMPATIBILITY.md is stale: run `npm run compatibility`");
    process.exitCode = 1;
  }
} else writeFileSync(url, wanted);

function readExisting(): string {
  try {
    return readFileSync(url, "utf8");
  } catch {
    return "";
  }
}
