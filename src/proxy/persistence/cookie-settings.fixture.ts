// `cookie SRV …` for tests.
import { NO_SPAN } from "../../diagnostic/span.ts";
import type { CookieSettings } from "../../model/proxy.ts";

export function cookieSettings(settings: Partial<CookieSettings>): CookieSettings {
  return {
    name: "SRV",
    mode: "insert",
    indirect: false,
    nocache: false,
    postonly: false,
    preserve: false,
    httponly: false,
    secure: false,
    domains: [],
    maxidleSeconds: null,
    maxlifeSeconds: null,
    dynamic: false,
    attributes: [],
    span: NO_SPAN,
    ...settings,
  };
}
