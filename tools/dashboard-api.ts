// docs/dashboard-api.json: the OpenAPI file of the dashboard, from its routes and the types that they speak.
import { openApi, schemaNames } from "../src/server/dashboard/openapi.ts";
import { allRoutes } from "../src/server/dashboard/routes.ts";
import type { Sessions } from "../src/server/dashboard/sessions.ts";
import type { DashboardState } from "../src/server/dashboard/state.ts";
import { schemasOf } from "./type-schemas.ts";

export const DASHBOARD_API = "docs/dashboard-api.json";

export function dashboardApi(): string {
  // Only the table is read, and nothing of it is run, so there need not be anything behind it.
  const routes = allRoutes({} as DashboardState, {} as Sessions);
  const schemas = schemasOf(schemaNames(routes), new URL("../", import.meta.url));
  return `${JSON.stringify(openApi(routes, schemas), null, 2)}\n`;
}
