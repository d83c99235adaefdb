// JSON Schemas of the types in src/model/ that the dashboard's API speaks, read from their TypeScript: so the
// OpenAPI file cannot say anything else than the compiler. It knows the few forms that these files are
// written in, and throws for any other.
import { readFileSync } from "node:fs";

export type Schema = { readonly [key: string]: unknown };

const FILES: readonly string[] = [
  "diagnostic/span.ts",
  "diagnostic/diagnostic.ts",
  "model/document-edit.ts",
  "model/trace.ts",
  "model/request-trace.ts",
  "model/datacenter.ts",
  "model/dashboard-api.ts",
  "model/dashboard-datacenter.ts",
];

/** Types of other files, and those whose form says nothing to a reader of JSON. */
const KNOWN: Readonly<Record<string, Schema>> = {
  string: { type: "string" },
  number: { type: "number" },
  boolean: { type: "boolean" },
  null: { type: "null" },
  unknown: {},
  Ip: { type: "string", description: "an IPv4 or IPv6 address" },
  Mac: { type: "string", description: "a MAC address" },
  Uint8Array: { type: "string", description: "bytes in hexadecimal" },
};

interface Declaration {
  readonly doc: string;
  /** What stands behind `=`, or the body of an interface with what it extends before it. */
  readonly text: string;
  readonly parents: readonly string[];
}

/** Of these types and of all that they name, by name. */
export function schemasOf(names: readonly string[], root: URL): Record<string, Schema> {
  const declarations = new Map<string, Declaration>();
  for (const file of FILES) {
    const text = readFileSync(new URL(`src/${file}`, root), "utf8");
    for (const [name, one] of declarationsOf(text)) declarations.set(name, one);
  }
  const schemas: Record<string, Schema> = {};
  const waiting = [...names];
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if (name in schemas) continue;
    const declaration = declarations.get(name);
    if (declaration === undefined) throw new Error(`no file of the contract declares ${name}`);
    const reader = new TypeReader(declaration.text, declarations, waiting);
    const own = reader.readWhole();
    const parents = declaration.parents.map((parent) => reader.refer(parent));
    const schema = parents.length === 0 ? own : { allOf: [...parents, own] };
    schemas[name] = declaration.doc === "" ? schema : { description: declaration.doc, ...schema };
  }
  return Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const DECLARATION =
  /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?export (?:interface (\w+)(?: extends ([\w, ]+))? \{|(?:type|const) (\w+)(?:: [^=]+)? =)/g;

function declarationsOf(text: string): [string, Declaration][] {
  return [...text.matchAll(DECLARATION)].map((match) => {
    const [whole, doc = "", interfaceName, extended = "", otherName] = match;
    const isInterface = interfaceName !== undefined;
    const start = match.index + whole.length - (isInterface ? 1 : 0);
    const parents = extended.split(",").map((parent) => parent.trim());
    return [
      interfaceName ?? otherName!,
      { doc: plainDoc(doc), text: text.slice(start), parents: parents.filter((parent) => parent !== "") },
    ];
  });
}

function plainDoc(doc: string): string {
  return doc
    .replaceAll(/^[ \t]*\*/gm, "")
    .replaceAll(/\s+/g, " ")
    .trim();
}

const TOKEN =
  /\s+|\/\/[^\n]*|\/\*\*([\s\S]*?)\*\/|"((?:[^"\\]|\\.)*)"|[A-Za-z_]\w*|-?\d[\d_]*|[{}()[\]<>|:;,?=]/y;

class TypeReader {
  readonly #text: string;
  readonly #declarations: ReadonlyMap<string, Declaration>;
  /** Names that are met, for whoever makes their schemas. */
  readonly #met: string[];
  #at = 0;
  #doc = "";

  constructor(text: string, declarations: ReadonlyMap<string, Declaration>, met: string[]) {
    this.#text = text;
    this.#declarations = declarations;
    this.#met = met;
  }

  readWhole(): Schema {
    return this.#readUnion();
  }

  refer(name: string): Schema {
    this.#met.push(name);
    return { $ref: `#/components/schemas/${name}` };
  }

  #readUnion(): Schema {
    if (this.#peek() === "|") this.#next();
    const parts = [this.#readPostfix()];
    while (this.#peek() === "|") {
      this.#next();
      parts.push(this.#readPostfix());
    }
    const [first] = parts;
    if (parts.length === 1) return first!;
    if (parts.every((part) => "const" in part)) return { enum: parts.map((part) => part["const"]) };
    return { anyOf: parts };
  }

  #readPostfix(): Schema {
    if (this.#peek() === "readonly") this.#next();
    let schema = this.#readPrimary();
    while (this.#peek() === "[") {
      this.#next();
      this.#expect("]");
      schema = { type: "array", items: schema };
    }
    return schema;
  }

  #readPrimary(): Schema {
    const token = this.#next();
    if (token.startsWith('"')) return { const: JSON.parse(token) as string };
    if (/^-?\d/.test(token)) return { const: Number(token.replaceAll("_", "")) };
    if (token === "true" || token === "false") return { const: token === "true" };
    if (token === "{") return this.#readObject();
    if (token === "[") return this.#readTuple();
    if (token === "(") return this.#readParenthesis();
    return this.#readNamed(token);
  }

  /** A type in parentheses, or `(typeof NAMES)[number]`: one of a list of words. */
  #readParenthesis(): Schema {
    if (this.#peek() !== "typeof") {
      const inner = this.#readUnion();
      this.#expect(")");
      return inner;
    }
    this.#next();
    const name = this.#next();
    for (const token of [")", "[", "number", "]"]) this.#expect(token);
    const list = this.#declarations.get(name)?.text.split("]", 1)[0] ?? "";
    return {
      enum: [...list.matchAll(/^(?:[^/\n]|\/(?!\/))*?"([^"]*)"|"([^"]*)"/gm)].map(([, a, b]) => a ?? b),
    };
  }

  #readNamed(name: string): Schema {
    const known = KNOWN[name];
    if (known !== undefined) return known;
    if (this.#peek() !== "<") return this.refer(name);
    this.#next();
    const parameters = [this.#readUnion()];
    while (this.#peek() === ",") {
      this.#next();
      parameters.push(this.#readUnion());
    }
    this.#expect(">");
    if (name === "Record") return { type: "object", additionalProperties: parameters[1] };
    // Readonly, and JsonOf, which only says what JSON makes of bytes.
    if (name === "Readonly" || name === "JsonOf") return parameters[0]!;
    throw new Error(`what is ${name}<…> in JSON?`);
  }

  #readTuple(): Schema {
    const items: Schema[] = [];
    while (this.#peek() !== "]") {
      // A name before the type is for readers.
      if (/^\w+\s*:/.test(this.#text.slice(this.#at).trimStart())) {
        this.#next();
        this.#expect(":");
      }
      items.push(this.#readUnion());
      if (this.#peek() === ",") this.#next();
    }
    this.#next();
    return { type: "array", prefixItems: items, minItems: items.length, maxItems: items.length };
  }

  #readObject(): Schema {
    const properties: Record<string, Schema> = {};
    const required: string[] = [];
    let others: Schema | null = null;
    while (this.#peek() !== "}") {
      const doc = this.#doc;
      let name = this.#next();
      if (name === "readonly") name = this.#next();
      const isIndex = name === "[";
      if (isIndex) for (const token of ["key", ":", "string", "]"]) this.#expect(token);
      const isOptional = this.#peek() === "?";
      if (isOptional) this.#next();
      this.#expect(":");
      const schema = this.#readUnion();
      if (isIndex) others = schema;
      else {
        properties[name] = doc === "" ? schema : { ...schema, description: doc };
        if (!isOptional) required.push(name);
      }
      if (this.#peek() === ";") this.#next();
    }
    this.#next();
    const base = { type: "object", properties, required };
    return others === null ? base : { type: "object", additionalProperties: others };
  }

  #peek(): string {
    const [at, doc] = [this.#at, this.#doc];
    const token = this.#next();
    const found = this.#doc;
    this.#at = at;
    this.#doc = found === "" ? doc : found;
    return token;
  }

  /** The next token, "" at the end; `#doc` is what the comment before it said. */
  #next(): string {
    this.#doc = "";
    for (;;) {
      if (this.#at >= this.#text.length) return "";
      TOKEN.lastIndex = this.#at;
      const match = TOKEN.exec(this.#text);
      if (match === null)
        throw new Error(`cannot read ${JSON.stringify(this.#text.slice(this.#at, this.#at + 60))}`);
      this.#at = TOKEN.lastIndex;
      const [token, doc] = match;
      if (doc !== undefined) this.#doc = plainDoc(doc);
      if (/^(?:\s|\/[/*])/.test(token)) continue;
      return token;
    }
  }

  #expect(token: string): void {
    const found = this.#next();
    if (found !== token)
      throw new Error(
        `${token} is expected, not ${found}: ${this.#text.slice(this.#at - 40, this.#at + 20)}`,
      );
  }
}
