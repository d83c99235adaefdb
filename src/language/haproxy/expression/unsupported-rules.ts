// Rules that HAProxy 2.6 has and Sallyport has not, with the reason. A trailing "*" stands for any ending.

const REASONS: Readonly<Record<string, string>> = {
  "early-hint": "103 Early Hints are not there yet",
  "expect-netscaler-cip": "the NetScaler protocol is not there",
  "expect-proxy": "use `accept-proxy` on the bind line",
  "ot-group": "OpenTracing is not there",
  "send-spoe-group": "SPOE is not there",
  "set-mark": "marks of packets cannot be set yet",
  "set-tos": "the type of service of packets cannot be set yet",
  "set-priority-class": "queue priorities are not there yet",
  "set-priority-offset": "queue priorities are not there yet",
  "lua.*": "Lua is not there",
};

/** Why there is no such rule; null when HAProxy 2.6 has none of that name either. */
export function unsupportedRuleReason(name: string): string | null {
  const exact = Object.hasOwn(REASONS, name) ? REASONS[name] : undefined;
  if (exact !== undefined) return exact;
  const family = Object.keys(REASONS).find((key) => key.endsWith("*") && name.startsWith(key.slice(0, -1)));
  return family === undefined ? null : REASONS[family]!;
}
