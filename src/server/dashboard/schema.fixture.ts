// As much of JSON Schema as the OpenAPI file uses: what of a value is not as a schema says.

type Schema = Readonly<Record<string, unknown>>;

/** Sentences with the path to each fault; empty when the value is as it should be. */
export function faultsOf(
  value: unknown,
  schema: Schema,
  schemas: Readonly<Record<string, Schema>>,
): string[] {
  return check(value, schema, schemas, "$");
}

function check(
  value: unknown,
  schema: Schema,
  schemas: Readonly<Record<string, Schema>>,
  at: string,
): string[] {
  const { $ref: reference, anyOf, allOf } = schema;
  if (typeof reference === "string") {
    const name = reference.slice(reference.lastIndexOf("/") + 1);
    const meant = schemas[name];
    return meant === undefined ? [`${at}: there is no schema ${name}`] : check(value, meant, schemas, at);
  }
  if (Array.isArray(allOf)) return (allOf as Schema[]).flatMap((one) => check(value, one, schemas, at));
  if (Array.isArray(anyOf)) {
    const tries = (anyOf as Schema[]).map((one) => check(value, one, schemas, at));
    return tries.some((faults) => faults.length === 0)
      ? []
      : tries.reduce((a, b) => (a.length <= b.length ? a : b));
  }
  if ("const" in schema) return value === schema["const"] ? [] : [`${at}: not ${String(schema["const"])}`];
  if (Array.isArray(schema["enum"])) return schema["enum"].includes(value) ? [] : [`${at}: ${String(value)}`];
  return checkType(value, schema, schemas, at);
}

function checkType(
  value: unknown,
  schema: Schema,
  schemas: Readonly<Record<string, Schema>>,
  at: string,
): string[] {
  const { type } = schema;
  if (type === undefined) return [];
  if (type === "array") {
    if (!Array.isArray(value)) return [`${at}: no array`];
    const { items, prefixItems } = schema as {
      readonly items?: Schema;
      readonly prefixItems?: readonly Schema[];
    };
    return value.flatMap((one, i) => check(one, prefixItems?.[i] ?? items ?? {}, schemas, `${at}[${i}]`));
  }
  if (type === "object") return checkObject(value, schema, schemas, at);
  if (type === "null") return value === null ? [] : [`${at}: not null`];
  return typeof value === type ? [] : [`${at}: ${JSON.stringify(value)} is no ${String(type)}`];
}

function checkObject(
  value: unknown,
  schema: Schema,
  schemas: Readonly<Record<string, Schema>>,
  at: string,
): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${at}: no object`];
  const {
    properties = {},
    required = [],
    additionalProperties,
  } = schema as {
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly required?: readonly string[];
    readonly additionalProperties?: Schema;
  };
  const lacking = required.filter((name) => !(name in value)).map((name) => `${at}.${name}: is missing`);
  const faults = Object.entries(value).flatMap(([name, one]) => {
    const own = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    return own === undefined ? [] : check(one, own, schemas, `${at}.${name}`);
  });
  return [...lacking, ...faults];
}
