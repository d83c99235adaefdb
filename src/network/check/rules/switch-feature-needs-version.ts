// A feature that the switch's version does not have yet.
import { compareVersions, FEATURE_FACTS, featuresUsed, versionOf } from "../../switch-versions.ts";
import type { CheckRule } from "../rule.ts";

export const switchFeatureNeedsVersion: CheckRule = {
  code: "switch-feature-needs-version",
  severity: "error",
  title: "a switch uses what its version does not have",
  *run({ datacenter }) {
    for (const one of datacenter.switches) {
      for (const { feature, span } of featuresUsed(one, datacenter)) {
        const { since, words } = FEATURE_FACTS[feature];
        const version = versionOf(one);
        if (compareVersions(since, version) <= 0) continue;
        yield {
          span,
          message: `${one.name} uses ${words}, which needs version ${since}; it has ${version}`,
          help: `The upgrade goes one way and keeps a backup: \`sallyport switch upgrade ${span.file} ${one.name} --to ${since}\`.`,
          related: [{ span: (one.version ?? one).span, message: `${one.name} is here` }],
        };
      }
    }
  },
};
