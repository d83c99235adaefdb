// The OpenAPI file: the table of routes, with the schemas of what they take and give. `npm run documents`
// writes it to docs/, from where it is served; a test holds both together.
import { readFileSync } from "node:fs";
import { programFile } from "../../base/program-files.ts";
import { VERSION } from "../../base/version.ts";
import type { Route } from "./route.ts";

type Json = Readonly<Record<string, unknown>>;

const ABOUT = `The dashboard of Sallyport does nothing that cannot be done by this API. Answers are JSON.
Whatever is not GET needs the header X-CSRF-Token with the token of GET /api/v1/session.`;

/** `schemas`: by the names that routes use. */
export function openApi(routes: readonly Route[], schemas: Json): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const operations = (paths[`/api/v1${route.path}`] ??= {});
    operations[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Sallyport's dashboard", version: VERSION, description: ABOUT },
    paths,
    components: {
      schemas,
      securitySchemes: {
        session: {
          type: "apiKey",
          in: "cookie",
          name: "sallyport-PORT",
          description: "POST /api/v1/session gives it",
        },
        csrf: { type: "apiKey", in: "header", name: "X-CSRF-Token" },
      },
    },
  };
}

function operationOf({ method, path, role, summary, parameters, takes, gives }: Route): Json {
  const type = path === "/events" ? "text/event-stream" : "application/json";
  const content = (name: string) => ({ schema: { $ref: `#/components/schemas/${name}` } });
  const words = path
    .replaceAll(/[{}]/g, "")
    .split(/[/.-]/)
    .filter((word) => word !== "");
  const security = method === "GET" ? { session: [] } : { session: [], csrf: [] };
  return {
    operationId: [method.toLowerCase(), ...words].join("-"),
    summary,
    description: role === null ? "Needs no login." : `Needs the role ${role}.`,
    security: role === null ? [] : [security],
    parameters: parameters.map(({ name, in: place, about }) => ({
      name,
      in: place,
      required: place === "path",
      description: about,
      schema: { type: "string" },
    })),
    ...(takes === null
      ? {}
      : { requestBody: { required: true, content: { "application/json": content(takes) } } }),
    responses: {
      "200": {
        description: "done",
        ...(gives === null ? {} : { content: { [type]: content(gives) } }),
      },
      default: { description: "why not", content: { "application/json": content("ApiError") } },
    },
  };
}

/** The names of all schemas that routes use. */
export function schemaNames(routes: readonly Route[]): string[] {
  const named = routes.flatMap(({ takes, gives }) => [takes, gives]);
  return [...new Set(["ApiError", ...named.filter((name) => name !== null)])].sort();
}

/** As `npm run documents` wrote it. */
export function readOpenApi(): Json {
  return JSON.parse(readFileSync(OPENAPI_FILE, "utf8")) as Json;
}

export const OPENAPI_FILE: string = programFile("docs", "dashboard-api.json");
