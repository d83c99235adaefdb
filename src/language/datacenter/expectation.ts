// The sentences under `expect`: "A reaches [tcp|udp|icmp] TO[:PORT] [at B]" and "A cannot reach …".
import type { Span } from "../../diagnostic/span.ts";
import type { Endpoint, Expectation, IpProtocol, Located, Reference } from "../../model/datacenter.ts";
import { parsePort } from "./number-values.ts";
import type { Reading } from "./reading.ts";
import { parseEndpointWord, parseReferenceWord } from "./text-values.ts";
import { type ScalarNode, spanInside, type Word } from "./tree-node.ts";
import { type Complaint, listOf, type Parsed, scalarText, type ValueType } from "./value-type.ts";

const FORM = "It is `A reaches [tcp|udp|icmp] TO[:PORT] [at B]`, or `A cannot reach …`.";

const expectation: ValueType<Expectation> = {
  words: "a sentence such as `internet reaches tcp 203.0.113.10:443 at edge`",
  schema: { type: "string", pattern: "\\b(reach(es)?|pings?)\\b" },
  read(node, reading) {
    const text = scalarText(node, this.words, reading);
    if (text === null || node.kind !== "scalar") return undefined;
    const sentence = new Sentence(text, node, reading);
    const read = sentence.read();
    return read === null ? undefined : { text, ...read, span: node.span };
  },
};

export const expectations: ValueType<readonly Expectation[]> = listOf("sentences", expectation);

/** Reads the words one by one; the first that is wrong is reported, and then everything is null. */
class Sentence {
  readonly #words: Word[];
  readonly #end: Span;
  readonly #reading: Reading;

  constructor(text: string, node: ScalarNode, reading: Reading) {
    this.#words = wordsOf(text, node);
    this.#end = { ...node.span, column: node.span.endColumn };
    this.#reading = reading;
  }

  read(): Omit<Expectation, "text" | "span"> | null {
    const from = this.#name("who sends");
    const isReached = from && this.#verb();
    if (from === null || isReached === null) return null;
    const protocol = this.#protocol();
    const target = this.#target(protocol);
    if (target === null) return null;
    const at = this.#words.length === 0 ? null : this.#at();
    if (at === undefined) return null;
    return { from, isReached, ...target, at };
  }

  #verb(): boolean | null {
    const verb = this.#next("`reaches` or `cannot reach`");
    if (verb === null) return null;
    if (verb.text === "reaches" || verb.text === "reach") return true;
    if (verb.text === "pings") return this.#words.unshift({ text: "icmp", span: verb.span }) > 0;
    if (verb.text !== "cannot")
      return this.#fail(verb.span, `\`reaches\` or \`cannot reach\` is expected, not \`${verb.text}\``);
    const second = this.#next("`reach`");
    if (second === null) return null;
    if (second.text === "reach") return false;
    if (second.text === "ping") return this.#words.unshift({ text: "icmp", span: second.span }) < 0;
    return this.#fail(second.span, `\`reach\` is expected, not \`${second.text}\``);
  }

  /** Null when the sentence leaves it to the port. */
  #protocol(): IpProtocol | null {
    const text = this.#words[0]?.text;
    const protocol = text === "ping" ? "icmp" : text;
    if (protocol !== "tcp" && protocol !== "udp" && protocol !== "icmp") return null;
    this.#words.shift();
    return protocol;
  }

  #target(said: IpProtocol | null): Pick<Expectation, "to" | "protocol" | "port"> | null {
    const word = this.#next("whom");
    if (word === null) return null;
    const target = splitPort(word.text);
    if ("message" in target) return this.#complain(word, target);
    const to = { value: target.to, span: word.span };
    const protocol = said ?? (target.port === null ? "icmp" : "tcp");
    if (protocol === "icmp" && target.port !== null)
      return this.#fail(word.span, "icmp has no ports", "Write `tcp` or `udp`, or leave the port out.");
    if (protocol !== "icmp" && target.port === null) {
      const shown = word.text.includes(":") ? `[${word.text}]` : word.text;
      return this.#fail(word.span, `the port is missing`, `Write ${shown}:80, if it is that.`);
    }
    return { to, protocol, port: target.port };
  }

  /** Undefined after a report. */
  #at(): Located<Reference> | undefined {
    const at = this.#words.shift()!;
    if (at.text !== "at") {
      this.#fail(at.span, `\`at\` or the end of the sentence is expected, not \`${at.text}\``);
      return undefined;
    }
    const name = this.#name("the one who must get it");
    const [more] = this.#words;
    if (more !== undefined && name !== null)
      this.#fail(more.span, `the sentence is complete before \`${more.text}\``);
    return more === undefined ? (name ?? undefined) : undefined;
  }

  #name(what: string): Located<Reference> | null {
    const word = this.#next(what);
    if (word === null) return null;
    const parsed = parseReferenceWord(word.text);
    return "value" in parsed ? { value: parsed.value, span: word.span } : this.#complain(word, parsed);
  }

  #next(what: string): Word | null {
    return this.#words.shift() ?? this.#fail(this.#end, `the sentence ends where ${what} should stand`);
  }

  #complain(word: Word, { code, message, help }: Complaint): null {
    this.#reading.error(code, word.span, message, { help });
    return null;
  }

  #fail(span: Span, message: string, help: string = FORM): null {
    this.#reading.error("bad-expectation", span, message, { help });
    return null;
  }
}

/** "web-001", "web-001:80", "203.0.113.10:443", "[2001:db8::1]:443", "2001:db8::1". */
function splitPort(word: string): { readonly to: Endpoint; readonly port: number | null } | Complaint {
  const match = /^(?:\[(.+)\]|([^:]+)):(\w+)$/.exec(word);
  const whole: Parsed<Endpoint> = parseEndpointWord(
    (match?.[1] ?? match?.[2] ?? word).replace(/^\[(.*)\]$/, "$1"),
  );
  if (!("value" in whole)) return whole;
  if (match === null) return { to: whole.value, port: null };
  const port = parsePort(match[3]!);
  return "value" in port ? { to: whole.value, port: port.value } : port;
}

function wordsOf(text: string, node: ScalarNode): Word[] {
  return [...text.matchAll(/\S+/g)].map((match) => {
    const end = match.index + match[0].length;
    return { text: match[0], span: text === node.text ? spanInside(node, match.index, end) : node.span };
  });
}
