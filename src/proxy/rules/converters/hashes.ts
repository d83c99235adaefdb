// Converters that hash: the 32-bit functions that balancing uses, and digests.
import { createHash, createHmac, getHashes } from "node:crypto";
import { crc32c } from "../../../protocol/proxy-protocol/crc32c.ts";
import { type ConverterCompiler, typed } from "../converter.ts";
import { integerParameter, textParameter } from "../fetch.ts";
import { integerSample, toBinary } from "../sample-cast.ts";
import { compileVariableRead, isVariableName } from "../variables.ts";
import { avalanche, crc32, djb2, sdbm, wt6, xxh32 } from "./hash-functions.ts";
import { xxh3, xxh64 } from "./xxhash.ts";

type Names =
  | "crc32"
  | "crc32c"
  | "djb2"
  | "sdbm"
  | "wt6"
  | "xxh3"
  | "xxh32"
  | "xxh64"
  | "md5"
  | "sha1"
  | "sha2"
  | "digest"
  | "hmac";

export const HASH_CONVERTERS: Readonly<Record<Names, ConverterCompiler>> = {
  crc32: withAvalanche(crc32),
  crc32c: withAvalanche((text) => crc32c(Buffer.from(text, "latin1"))),
  djb2: withAvalanche(djb2),
  sdbm: withAvalanche(sdbm),
  wt6: withAvalanche(wt6),
  xxh32: typed<string>((parameters) => {
    const seed = integerParameter(parameters, 0) ?? 0;
    return (value) => xxh32(value, seed);
  }),
  xxh3: typed<string>((parameters) => {
    const seed = BigInt(integerParameter(parameters, 0) ?? 0);
    return (value) => integerSample(xxh3(value, seed));
  }),
  xxh64: typed<string>((parameters) => {
    const seed = BigInt(integerParameter(parameters, 0) ?? 0);
    return (value) => integerSample(xxh64(value, seed));
  }),
  md5: digest(() => "md5"),
  sha1: digest(() => "sha1"),
  sha2: digest((parameters) => `sha${integerParameter(parameters, 0) ?? 256}`),
  digest: digest((parameters) => textParameter(parameters, 0)),
  hmac: typed<string>((parameters, environment) => {
    const algorithm = knownAlgorithm(textParameter(parameters, 0));
    const text = textParameter(parameters, 1);
    // The key is base64 text, or a variable that holds it.
    const isVariable = isVariableName(text);
    const read = compileVariableRead(text, environment);
    return (value, stream) => {
      const key = isVariable ? read(stream) : text;
      if (algorithm === null || key === undefined) return undefined;
      const hmac = createHmac(algorithm, Buffer.from(toBinary(key), "base64"));
      return hmac.update(value, "latin1").digest("latin1");
    };
  }),
};

function withAvalanche(hash: (text: string) => number): ConverterCompiler {
  return typed<string>((parameters) => {
    const isSpread = (integerParameter(parameters, 0) ?? 0) !== 0;
    return isSpread ? (value) => avalanche(hash(value)) : hash;
  });
}

function digest(nameOf: (parameters: Parameters<ConverterCompiler>[0]) => string): ConverterCompiler {
  return typed<string>((parameters) => {
    const algorithm = knownAlgorithm(nameOf(parameters));
    if (algorithm === null) return () => undefined;
    return (value) => createHash(algorithm).update(value, "latin1").digest("latin1");
  });
}

function knownAlgorithm(name: string): string | null {
  const lowerCaseName = name.toLowerCase();
  return getHashes().find((known) => known.toLowerCase() === lowerCaseName) ?? null;
}
