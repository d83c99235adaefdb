// A change of a YAML document by its meaning: where in the tree, and what. `language/datacenter/edit.ts`
// carries it out on the text and leaves every line alone that it does not concern.

/** Keys and indexes from the root of the document: ["switches", "dvs0", "version"]. */
export type DocumentPath = readonly (string | number)[];

export type DocumentValue =
  | string
  | number
  | boolean
  | null
  | readonly DocumentValue[]
  | { readonly [key: string]: DocumentValue };

export type DocumentEdit =
  /** Sets or adds the value of a key, or replaces an item of a list. */
  | {
      readonly kind: "set";
      readonly file: string;
      readonly path: DocumentPath;
      readonly value: DocumentValue;
    }
  /** Adds an item at the end of the list at `path`, which is made when it is not there. */
  | {
      readonly kind: "append";
      readonly file: string;
      readonly path: DocumentPath;
      readonly value: DocumentValue;
    }
  /** Takes a key or an item away, with its comment. */
  | { readonly kind: "delete"; readonly file: string; readonly path: DocumentPath };
