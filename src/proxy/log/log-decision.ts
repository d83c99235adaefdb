// Whether, when and at which level a stream is logged (HAProxy manual: dontlognull, dontlog-normal,
// log-separate-errors, logasap, http-request set-log-level).
import type { Proxy as ProxyDefinition } from "../../model/proxy.ts";
import type { Stream } from "../stream.ts";
import { LEVEL_NUMBERS, levelNumber } from "./log-target.ts";

/** Anything a human may want to look at: redispatched, retried, ended by somebody's fault, or status 5xx. */
export function isErroneous(stream: Stream): boolean {
  if (stream.isRedispatched) return true;
  if (stream.cause !== "-" && stream.cause !== "L") return true;
  if (stream.cause === "-" && stream.retries > 0) return true;
  return stream.frontend.definition.mode === "http" && stream.status >= 500;
}

export function shouldLog(stream: Stream): boolean {
  if (stream.logLevel === "silent") return false;
  const { options } = stream.frontend.definition;
  if (options.dontlognull && stream.bytesIn === 0) return false;
  return !options.dontlogNormal || isErroneous(stream);
}

/** Syslog's number. */
export function levelOf(stream: Stream): number {
  if (stream.logLevel !== null) return levelNumber(stream.logLevel);
  const isRaised = stream.frontend.definition.options.logSeparateErrors && isErroneous(stream);
  return isRaised ? LEVEL_NUMBERS.err : LEVEL_NUMBERS.info;
}

/**
 * With `option logasap`: log when the response's head is there (http) or the server is connected (tcp), not
 * at the end.
 */
export function isLoggedEarly(proxy: ProxyDefinition): boolean {
  return proxy.options.logasap;
}

/**
 * The line of a proxy without a log format of its own is written when the stream begins, and knows nothing
 * of its end.
 */
export function isLoggedAtConnect(proxy: ProxyDefinition): boolean {
  const { logFormat } = proxy;
  return logFormat !== null && logFormat.span.line === 0 && logFormat.text.startsWith("Connect from ");
}
