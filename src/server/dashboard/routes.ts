// All routes of the API. OpenAPI and the tests walk this table.
import { answer } from "./answer.ts";
import { configurationRoutes } from "./configuration-routes.ts";
import { consoleRoutes } from "./console-routes.ts";
import { datacenterRoutes } from "./datacenter-routes.ts";
import { readOpenApi } from "./openapi.ts";
import type { Route } from "./route.ts";
import { sessionRoutes } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";
import type { DashboardState } from "./state.ts";
import { trafficRoutes } from "./traffic-routes.ts";

export function allRoutes(state: DashboardState, sessions: Sessions): readonly Route[] {
  return [
    ...sessionRoutes(state, sessions),
    ...trafficRoutes(state),
    ...configurationRoutes(state),
    ...datacenterRoutes(state),
    ...consoleRoutes(state),
    {
      method: "GET",
      path: "/openapi.json",
      role: null,
      summary: "This file",
      parameters: [],
      takes: null,
      gives: null,
      run: () => answer(readOpenApi()),
    },
  ];
}
