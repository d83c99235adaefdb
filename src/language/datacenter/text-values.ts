// Values that are words: texts, names of things that are defined elsewhere, and who is meant by a rule.
import { parseIp } from "../../base/ip.ts";
import type { Endpoint, Located, Reference } from "../../model/datacenter.ts";
import { addressComplaint, parseRangeWord, parseSubnetWord } from "./address-values.ts";
import { complaint, type Parsed, scalar, type ValueType } from "./value-type.ts";

const STRING = { type: "string" } as const;

/** Any text. */
export function text(words: string): ValueType<Located<string>> {
  return scalar(words, STRING, (value) => ({ value }));
}

/** The name of something that is defined elsewhere; whether it is there is not looked at here. */
export function nameOf(what: string): ValueType<Located<string>> {
  return scalar(`the name of ${what}`, { type: ["string", "integer"] }, (value) =>
    /^\S+$/.test(value)
      ? { value }
      : complaint("bad-name", `\`${value}\` is not the name of ${what}: it has a blank`),
  );
}

/** YAML 1.2 knows true and false only; 1.1 took `yes`, `on` and others, and many files still have them. */
export const boolean: ValueType<Located<boolean>> = scalar(
  "true or false",
  { type: "boolean" },
  (value, { isQuoted }) => {
    if (!isQuoted && /^(true|True|TRUE)$/.test(value)) return { value: true };
    if (!isQuoted && /^(false|False|FALSE)$/.test(value)) return { value: false };
    const meant = /^(yes|on|y|true|1)$/i.test(value)
      ? "true"
      : /^(no|off|n|false|0)$/i.test(value)
        ? "false"
        : null;
    const help = meant === null ? null : `Write ${meant}${isQuoted ? ", without quotes" : ""}.`;
    return complaint("bad-boolean", `\`${value}\` is neither true nor false`, help);
  },
);

/** "web-001", "shop.test-a", "shop.test-a/web". */
export function reference(words: string): ValueType<Located<Reference>> {
  return scalar(words, STRING, parseReferenceWord);
}

export const endpoint: ValueType<Located<Endpoint>> = scalar(
  "`any`, an address, a subnet, a range or a name",
  STRING,
  parseEndpointWord,
);

export function parseEndpointWord(word: string): Parsed<Endpoint> {
  if (word === "any") return { value: { kind: "any" } };
  const ip = parseIp(word);
  if (ip !== null) return { value: { kind: "address", ip } };
  const subnet = parseSubnetWord(word);
  if (subnet !== null)
    return "value" in subnet ? { value: { kind: "subnet", subnet: subnet.value } } : subnet;
  // A name may have hyphens, but no range is a name: each of its ends has dots or colons.
  if (/^[\da-f]*[.:][^-]*-.*\d/i.test(word) && /^[\da-f.:-]+$/i.test(word)) {
    const range = parseRangeWord(word);
    return "value" in range ? { value: { kind: "range", range: range.value } } : range;
  }
  if (/^\d+(\.\w*)+(\/\w*)?$/.test(word) || /:.*:/.test(word)) return addressComplaint(word, "an address");
  const named = parseReferenceWord(word);
  return "value" in named ? { value: { kind: "name", reference: named.value } } : named;
}

/** A reference of names, each of which is of these signs. */
function referenceOf(name: string): RegExp {
  return new RegExp(`^(?:(${name})|(${name})\\.(${name})(?:/(${name}))?|(${name})/(${name}))$`, "u");
}
const PLAIN_REFERENCE = referenceOf("[\\w-]+");
/** Made when it is first needed: it takes some milliseconds. */
let referenceOfAnyLetters: RegExp | null = null;

function matchReference(word: string): RegExpExecArray | null {
  const plain = PLAIN_REFERENCE.exec(word);
  if (plain !== null || /^[ -~]*$/.test(word)) return plain;
  referenceOfAnyLetters ??= referenceOf("[\\p{L}\\p{M}\\p{N}_-]+");
  return referenceOfAnyLetters.exec(word);
}

export function parseReferenceWord(word: string): Parsed<Reference> {
  const match = matchReference(word);
  if (match === null)
    return complaint(
      "bad-name",
      `\`${word}\` is no name`,
      "Write web-001, or vapp.copy/machine as in shop.test-a/web.",
    );
  const [, alone, vapp, copy, machine, onlyVapp, ofOnlyVapp] = match;
  if (alone !== undefined) return { value: { text: word, vapp: null, copy: null, name: alone } };
  if (onlyVapp !== undefined)
    // A vApp without copies is one copy of its own name.
    return { value: { text: word, vapp: onlyVapp, copy: onlyVapp, name: ofOnlyVapp! } };
  return { value: { text: word, vapp: vapp!, copy: copy!, name: machine ?? null } };
}
