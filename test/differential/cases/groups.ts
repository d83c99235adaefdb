// All configurations and their cases.
import type { CaseGroup } from "../comparison.ts";
import { BALANCE } from "./balance.ts";
import { CONNECTIONS } from "./connections.ts";
import { COOKIES } from "./cookies.ts";
import { DISPATCH } from "./dispatch.ts";
import { FAILURES } from "./failures.ts";
import { FORWARDING } from "./forwarding.ts";
import { HEADER_CASE } from "./header-case.ts";
import { LEGACY } from "./legacy.ts";
import { RETRIES } from "./retries.ts";
import { RULES } from "./rules.ts";
import { SEED } from "./seed.ts";
import { SWITCHING } from "./switching.ts";
import { TCP } from "./tcp.ts";
import { VERDICTS } from "./verdicts.ts";

export const GROUPS: readonly CaseGroup[] = [
  SEED,
  CONNECTIONS,
  RULES,
  BALANCE,
  FAILURES,
  RETRIES,
  COOKIES,
  FORWARDING,
  TCP,
  SWITCHING,
  LEGACY,
  VERDICTS,
  DISPATCH,
  HEADER_CASE,
];
