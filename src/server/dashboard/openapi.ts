// The OpenAPI file, made of the table of routes.
import { VERSION } from "../../base/version.ts";
import type { Route } from "./route.ts";

export function openApi(routes: readonly Route[]): unknown {
  return { openapi: "3.1.0", info: { title: "Sallyport dashboard", version: VERSION }, paths: routes.length };
}
