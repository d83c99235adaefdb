// The steps in which a running switch is upgraded, each a change of its file that can be applied and watched
// by itself: the version first, then what it shall do from now on, feature by feature, and the LAGs last.
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { type Datacenter, SWITCH_FEATURES, type SwitchFeature } from "../model/datacenter.ts";
import type { DocumentEdit } from "../model/document-edit.ts";
import { compareVersions, FEATURE_FACTS, type SwitchUpgrade } from "./switch-versions.ts";

export interface SwitchStep {
  readonly words: string;
  /** Of the file, on top of the steps before. */
  readonly edits: readonly DocumentEdit[];
  /** From this step on the LAGs are those of the new version. */
  readonly convertsLags: boolean;
}

/** `features`: what is switched on in addition. A sentence when one of them cannot be. */
export function upgradeSteps(
  datacenter: Datacenter,
  name: string,
  upgrade: SwitchUpgrade,
  features: readonly string[],
): readonly SwitchStep[] | string {
  const one = datacenter.switches.find((each) => each.name === name)!;
  const { file } = upgrade.edits[0]!;
  const steps: SwitchStep[] = [{ words: `version ${upgrade.to}`, edits: upgrade.edits, convertsLags: false }];
  for (const word of new Set(features)) {
    const feature = SWITCH_FEATURES.find((known) => known === word);
    if (feature === undefined) {
      const hint = suggestWord(word, SWITCH_FEATURES);
      return `there is no feature ${word}${hint === null ? "" : `: ${hint}`}`;
    }
    if (one.features.some(({ value }) => value === feature)) continue;
    const fault = faultOf(feature, upgrade);
    if (fault !== null) return fault;
    const edit = { kind: "append", file, path: ["switches", name, "features"], value: feature } as const;
    steps.push({ words: feature, edits: [edit], convertsLags: false });
  }
  if (upgrade.later.length > 0) steps.push({ words: "LAG conversion", edits: [], convertsLags: true });
  return steps;
}

function faultOf(feature: SwitchFeature, { to }: SwitchUpgrade): string | null {
  const { since, words } = FEATURE_FACTS[feature];
  if (compareVersions(since, to) <= 0) return null;
  return `${words} needs version ${since}, and ${to} is what the switch gets`;
}
