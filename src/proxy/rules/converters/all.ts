// Every converter by its name. A name of the model's table that nobody implements does not compile.
import type { ConverterName } from "../../../model/sample.ts";
import type { ConverterCompiler } from "../converter.ts";
import { HASH_CONVERTERS } from "./hashes.ts";
import { INTEGER_CONVERTERS } from "./integers.ts";
import { MESSAGE_CONVERTERS } from "./messages.ts";
import { OTHER_CONVERTERS } from "./others.ts";
import { TEXT_CONVERTERS } from "./text.ts";
import { WEB_CONVERTERS } from "./web.ts";

export const CONVERTER_COMPILERS: Readonly<Record<ConverterName, ConverterCompiler>> = {
  ...INTEGER_CONVERTERS,
  ...HASH_CONVERTERS,
  ...TEXT_CONVERTERS,
  ...WEB_CONVERTERS,
  ...MESSAGE_CONVERTERS,
  ...OTHER_CONVERTERS,
};
