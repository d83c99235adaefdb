// HAProxy's own log formats, as texts in its format language. Source: HAProxy 2.6 manual, sections 8.2.1 to
// 8.2.4.
import { NO_SPAN } from "../../../diagnostic/span.ts";
import type { LogFormat } from "../../../model/sample.ts";
import { wordAt } from "../word.ts";
import { builtInContext } from "./built-in-context.ts";
import { parseLogFormat } from "./log-format-parser.ts";

const HTTP_LOG =
  "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r";

/** Texts by the option that asks for them; `connection-…` is the line of a proxy without any such option. */
export const BUILT_IN_LOG_FORMATS: Readonly<Record<BuiltInLogFormatName, string>> = {
  httplog: HTTP_LOG,
  tcplog: "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq",
  // The four zeros are errors of the handshake, which a connection that got as far as a request does not
  // have.
  httpslog: `${HTTP_LOG} 0/0000000000000000/0/0/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc`,
  clf:
    '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq ' +
    "%CC %CS %hrl %hsl",
  "connection-http": "Connect from %ci:%cp to %fi:%fp (%f/HTTP)",
  "connection-tcp": "Connect from %ci:%cp to %fi:%fp (%f/TCP)",
};

export type BuiltInLogFormatName =
  | "httplog"
  | "tcplog"
  | "httpslog"
  | "clf"
  | "connection-http"
  | "connection-tcp";

/** The format of that name, parsed. Its places are "built-in". */
export function builtInLogFormat(name: BuiltInLogFormatName): LogFormat {
  return parseLogFormat(wordAt(BUILT_IN_LOG_FORMATS[name], NO_SPAN), builtInContext("response"), "log")!;
}
