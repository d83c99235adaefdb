// The JSON Schema of datacenter.yaml, from the tables that read it: editors complete and explain keys by it.
import { datacenter } from "./datacenter-keys.ts";
import type { JsonSchema } from "./value-type.ts";

/** Draft 2020-12. */
export function datacenterSchema(): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Sallyport datacentre",
    ...datacenter.schema,
  };
}
