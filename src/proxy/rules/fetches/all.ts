// Every fetch by its name. A name of the model's table that nobody implements does not compile.
import type { FetchName } from "../../../model/sample.ts";
import type { FetchCompiler } from "../fetch.ts";
import { CONNECTION_FETCHES } from "./connection.ts";
import { CONSTANT_FETCHES } from "./constants.ts";
import { CONTENT_FETCHES } from "./content.ts";
import { MESSAGE_FETCHES } from "./http-messages.ts";
import { REQUEST_FETCHES } from "./http-request.ts";
import { RESPONSE_FETCHES } from "./http-response.ts";
import { INTERNAL_FETCHES } from "./internal.ts";
import { STICK_FETCHES } from "./stick-counters.ts";
import { TLS_FETCHES } from "./tls.ts";

export const FETCH_COMPILERS: Readonly<Record<FetchName, FetchCompiler>> = {
  ...CONSTANT_FETCHES,
  ...INTERNAL_FETCHES,
  ...CONNECTION_FETCHES,
  ...STICK_FETCHES,
  ...TLS_FETCHES,
  ...CONTENT_FETCHES,
  ...MESSAGE_FETCHES,
  ...REQUEST_FETCHES,
  ...RESPONSE_FETCHES,
};
