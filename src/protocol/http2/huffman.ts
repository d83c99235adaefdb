// The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B). The code is canonical: codes of one length
// follow one another in the order of their symbols, so the lengths say it all. Tables are made when the first
// text is coded: who never speaks HTTP/2 does not pay for them.

/** The length of each symbol's code in bits, as a digit of base 36; the last one is EOS. */
const CODE_LENGTHS =
  "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca" +
  "d67777777777777777777777878djde6f56565666577666567655677777fbeds" +
  "kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn" +
  "qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq" +
  "u";
const EOS = 256;
/** Padding is shorter than a byte (RFC 7541 section 5.2). */
const PADDING_BITS_MAX = 7;

/** Of an entry of the decoder's table: bits above `NEXT` are the symbol plus one, 0 for none. */
const NEXT = 0x3ff;
const SYMBOL_SHIFT = 10;
const INVALID = -1;

interface Tables {
  readonly codes: Uint32Array;
  readonly lengths: Uint8Array;
  /** By state and half a byte: the next state and the symbol that has ended, or INVALID. */
  readonly steps: Int32Array;
  /** Whether a text may end in that state. */
  readonly isEnd: Uint8Array;
}

let tables: Tables | null = null;

/** The most that text of so many bytes can have: no code is shorter than 5 bits. */
export function huffmanTextLengthMax(codedLength: number): number {
  return ((codedLength * 8) / 5 + 1) | 0;
}

/** Writes the text in bytes[start, end) to `target`; returns its end there, -1 when it is not well formed. */
export function decodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  tables ??= buildTables();
  const { steps, isEnd } = tables;
  let state = 0;
  for (let pos = start; pos < end; pos++) {
    const byte = bytes[pos]!;
    let step = steps[state * 16 + (byte >> 4)]!;
    if (step === INVALID) return -1;
    if (step > NEXT) target[at++] = (step >> SYMBOL_SHIFT) - 1;
    step = steps[(step & NEXT) * 16 + (byte & 15)]!;
    if (step === INVALID) return -1;
    if (step > NEXT) target[at++] = (step >> SYMBOL_SHIFT) - 1;
    state = step & NEXT;
  }
  return isEnd[state] === 1 ? at : -1;
}

/** How many bytes `encodeHuffman` writes for bytes[start, end). */
export function huffmanLength(bytes: Uint8Array, start: number, end: number): number {
  tables ??= buildTables();
  const { lengths } = tables;
  let bits = 0;
  for (let i = start; i < end; i++) bits += lengths[bytes[i]!]!;
  return (bits + 7) >> 3;
}

/** Writes the code of bytes[start, end) to `target` from `at` on; returns its end. */
export function encodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  tables ??= buildTables();
  const { codes, lengths } = tables;
  let pending = 0;
  let bitCount = 0;
  for (let i = start; i < end; i++) {
    const symbol = bytes[i]!;
    let left = lengths[symbol]!;
    const code = codes[symbol]!;
    while (left > 0) {
      const taken = Math.min(8 - bitCount, left);
      left -= taken;
      pending = (pending << taken) | ((code >>> left) & ((1 << taken) - 1));
      bitCount += taken;
      if (bitCount === 8) {
        target[at++] = pending;
        pending = bitCount = 0;
      }
    }
  }
  if (bitCount > 0) target[at++] = (pending << (8 - bitCount)) | (0xff >> bitCount);
  return at;
}

function buildTables(): Tables {
  const lengths = Uint8Array.from(CODE_LENGTHS, (digit) => Number.parseInt(digit, 36));
  const codes = new Uint32Array(lengths.length);
  const order = [...lengths.keys()].sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  // A tree of pairs: a child at or above 0 is a node, below 0 the symbol `~child`.
  const children: [number, number][] = [[0, 0]];
  let code = 0;
  let length = lengths[order[0]!]!;
  for (const symbol of order) {
    code *= 2 ** (lengths[symbol]! - length);
    length = lengths[symbol]!;
    codes[symbol] = code;
    addToTree(children, code, length, symbol);
    code++;
  }
  return { codes, lengths, steps: buildSteps(children), isEnd: buildEnds(children) };
}

function addToTree(children: [number, number][], code: number, length: number, symbol: number): void {
  let node = 0;
  for (let left = length - 1; left > 0; left--) {
    const bit = (code >>> left) & 1;
    if (children[node]![bit] === 0) children[node]![bit] = children.push([0, 0]) - 1;
    node = children[node]![bit]!;
  }
  children[node]![code & 1] = ~symbol;
}

function buildSteps(children: readonly [number, number][]): Int32Array {
  const steps = new Int32Array(children.length * 16);
  for (let state = 0; state < children.length; state++) {
    for (let half = 0; half < 16; half++) {
      let node = state;
      let symbol = -1;
      for (let left = 3; left >= 0; left--) {
        node = children[node]![(half >> left) & 1]!;
        if (node < 0) {
          symbol = ~node;
          node = 0;
          if (symbol === EOS) break;
        }
      }
      // EOS itself must not be sent.
      steps[state * 16 + half] = symbol === EOS ? INVALID : node | ((symbol + 1) << SYMBOL_SHIFT);
    }
  }
  return steps;
}

/** Padding is the beginning of EOS, which is all ones. */
function buildEnds(children: readonly [number, number][]): Uint8Array {
  const isEnd = new Uint8Array(children.length);
  let node = 0;
  for (let bits = 0; bits <= PADDING_BITS_MAX && node >= 0; bits++) {
    isEnd[node] = 1;
    node = children[node]![1];
  }
  return isEnd;
}
