// The JSON Schema of datacenter.yaml, from the tables that read it: editors complete and explain keys by it.
import { datacenter, ENTRIES } from "./datacenter-keys.ts";
import { schemaOfEntry } from "./keys.ts";
import type { JsonSchema } from "./value-type.ts";

/** Draft 2020-12. */
export function datacenterSchema(): JsonSchema {
  const entries = Object.fromEntries([...ENTRIES.keys()].map((info) => [info.id, schemaOfEntry(info)]));
  const variable = {
    type: "string",
    pattern: "\\$\\{\\w+((:?-).*)?\\}",
    description: "A text with variables in it.",
  };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Sallyport datacentre",
    ...datacenter.schema,
    $defs: {
      ...entries,
      // Keys that begin with x- are the user's own.
      datacenter: { ...entries["datacenter"], patternProperties: { "^x-": {} } },
      variable,
    },
  };
}
