// All routes of the API. OpenAPI and the tests walk this table.
import { answer } from "./answer.ts";
import { openApi } from "./openapi.ts";
import type { Route } from "./route.ts";
import { sessionRoutes } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";
import type { DashboardState } from "./state.ts";
import { trafficRoutes } from "./traffic-routes.ts";

export function allRoutes(state: DashboardState, sessions: Sessions): readonly Route[] {
  const routes: Route[] = [
    ...sessionRoutes(state, sessions),
    ...trafficRoutes(state),
    {
      method: "GET",
      path: "/openapi.json",
      role: null,
      summary: "This file",
      parameters: [],
      takes: null,
      gives: null,
      run: () => answer(openApi(routes)),
    },
  ];
  return routes;
}
