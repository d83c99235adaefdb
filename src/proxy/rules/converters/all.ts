// Every converter by its name. A name of the model's table that nobody implements does not compile.
import type { ConverterName } from "../../../model/sample.ts";
import type { ConverterCompiler } from "../converter.ts";
import { HASH_CONVERTERS } from "./hashes.ts";
import { INTEGER_CONVERTERS } from "./integers.ts";
import { MAP_CONVERTERS } from "./maps.ts";
import { MESSAGE_CONVERTERS } from "./messages.ts";
import { MQTT_CONVERTERS } from "./mqtt.ts";
import { OTHER_CONVERTERS } from "./others.ts";
import { PROTOBUF_CONVERTERS } from "./protobuf.ts";
import { TABLE_CONVERTERS } from "./stick-tables.ts";
import { TEXT_CONVERTERS } from "./text.ts";
import { TOKEN_CONVERTERS } from "./tokens.ts";
import { WEB_CONVERTERS } from "./web.ts";

export const CONVERTER_COMPILERS: Readonly<Record<ConverterName, ConverterCompiler>> = {
  ...INTEGER_CONVERTERS,
  ...HASH_CONVERTERS,
  ...TEXT_CONVERTERS,
  ...WEB_CONVERTERS,
  ...MESSAGE_CONVERTERS,
  ...MAP_CONVERTERS,
  ...TABLE_CONVERTERS,
  ...MQTT_CONVERTERS,
  ...PROTOBUF_CONVERTERS,
  ...TOKEN_CONVERTERS,
  ...OTHER_CONVERTERS,
};
