// All configurations and their cases.
import type { CaseGroup } from "../comparison.ts";
import { CONNECTIONS } from "./connections.ts";
import { RULES } from "./rules.ts";
import { SEED } from "./seed.ts";

export const GROUPS: readonly CaseGroup[] = [SEED, CONNECTIONS, RULES];
