// The steps in which a running switch is upgraded, each a change of its file that can be applied and watched
// by itself: the version first, then what it shall do from now on, feature by feature, and the LAGs last.
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { type Datacenter, SWITCH_FEATURES, type SwitchFeature } from "../model/datacenter.ts";
import type { DocumentEdit } from "../model/document-edit.ts";
import { convertLags } from "./lag-conversion.ts";
import { compareVersions, FEATURE_FACTS, type SwitchUpgrade } from "./switch-versions.ts";

export interface SwitchStep {
  readonly words: string;
  /** Of the file, on top of the steps before. */
  readonly edits: readonly DocumentEdit[];
  /** From this step on the LAGs are those of the new version. */
  readonly convertsLags: boolean;
  /** What has to be done besides, by hand and elsewhere. */
  readonly otherEnds?: readonly string[];
}

/**
 * `features`: what is switched on in addition; `lag` makes LAGs without LACP speak it, those of `host` alone
 * when it is not null. A sentence when one of them cannot be.
 */
export function upgradeSteps(
  datacenter: Datacenter,
  name: string,
  upgrade: SwitchUpgrade,
  features: readonly string[],
  host: string | null = null,
): readonly SwitchStep[] | string {
  const one = datacenter.switches.find((each) => each.name === name)!;
  const { file } = upgrade.edits[0]!;
  const steps: SwitchStep[] = [{ words: `version ${upgrade.to}`, edits: upgrade.edits, convertsLags: false }];
  let conversion: Pick<SwitchStep, "edits" | "otherEnds"> | null =
    upgrade.later.length > 0 ? { edits: [] } : null;
  for (const word of new Set(features)) {
    const feature = SWITCH_FEATURES.find((known) => known === word);
    if (feature === undefined) {
      const hint = suggestWord(word, SWITCH_FEATURES);
      return `there is no feature ${word}${hint === null ? "" : `: ${hint}`}`;
    }
    const fault = faultOf(feature, upgrade);
    if (fault !== null) return fault;
    if (feature === "lag") {
      const converted = convertLags(datacenter, name, file, host);
      if (typeof converted === "string") return converted;
      conversion = { edits: converted.edits, otherEnds: converted.words };
      continue;
    }
    if (one.features.some(({ value }) => value === feature)) continue;
    const edit = { kind: "append", file, path: ["switches", name, "features"], value: feature } as const;
    steps.push({ words: feature, edits: [edit], convertsLags: false });
  }
  if (conversion !== null) steps.push({ words: "LAG conversion", ...conversion, convertsLags: true });
  return steps;
}

function faultOf(feature: SwitchFeature, { to }: SwitchUpgrade): string | null {
  const { since, words } = FEATURE_FACTS[feature];
  if (compareVersions(since, to) <= 0) return null;
  return `${words} needs version ${since}, and ${to} is what the switch gets`;
}
