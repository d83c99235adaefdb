// What the reader of configurations may ask of this machine.
import { readFileSync } from "node:fs";
import { availableParallelism, hostname } from "node:os";
import type { ReaderEnvironment } from "../language/haproxy/environment.ts";

export function machineEnvironment(): ReaderEnvironment {
  const variables = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return {
    variables: Object.fromEntries(variables),
    readFile: (path) => {
      try {
        return readFileSync(path);
      } catch {
        return null;
      }
    },
    hostname: hostname(),
    cpuCount: availableParallelism(),
  };
}
