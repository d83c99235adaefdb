// Routes about the files: what is wrong with them, what can be mended, what serves, and serving them anew.
import type { FixAnswer, ReloadAnswer } from "../../model/dashboard-api.ts";
import { type Answer, answer, refusal } from "./answer.ts";
import { applyFixes } from "./check-fixes.ts";
import { checkFiles, findingOf } from "./check-view.ts";
import { configurationView } from "./configuration-view.ts";
import type { Call, Route } from "./route.ts";
import type { DashboardState } from "./state.ts";

export function configurationRoutes(state: DashboardState): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/configuration",
      role: "viewer",
      summary: "The haproxy.cfg that serves: what becomes of each line, and what it counts; secrets left out",
      parameters: [],
      takes: null,
      gives: "ConfigurationAnswer",
      run: () => answer(configurationView(state)),
    },
    {
      method: "POST",
      path: "/reload",
      role: "admin",
      summary: "Reads the files again; a broken one changes nothing",
      parameters: [],
      takes: null,
      gives: "ReloadAnswer",
      run: (call) => reload(call, state),
    },
    {
      method: "GET",
      path: "/check",
      role: "viewer",
      summary: "What is wrong with the files, read anew: with their lines, and what a safe fix would change",
      parameters: [],
      takes: null,
      gives: "CheckAnswer",
      run: () => answer(checkFiles(state).answer),
    },
    {
      method: "POST",
      path: "/check/fix",
      role: "admin",
      summary: "Writes the safe fixes of these findings into their files",
      parameters: [],
      takes: "FixQuestion",
      gives: "FixAnswer",
      run: (call) => fix(call, state),
    },
  ];
}

async function reload({ session, client }: Call, state: DashboardState): Promise<Answer> {
  const { ok, diagnostics, sources, problems } = await state.source.reload();
  state.audit({ event: "reload", user: session!.user, client, reloaded: ok });
  const [problem] = problems;
  const more = problem === undefined ? "" : `${ok ? ", but " : ": "}${problem.message}`;
  const body: ReloadAnswer = {
    isReloaded: ok,
    message: `the ${ok ? "new configuration serves" : "old configuration goes on"}${more}`,
    findings: diagnostics.map((one) => findingOf(one, null, "proxy", sources)),
  };
  return answer(body);
}

function fix({ body, session, client }: Call, state: DashboardState): Answer {
  const ids =
    typeof body === "object" && body !== null ? (body as { readonly ids?: unknown }).ids : undefined;
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === "string"))
    return refusal(400, "wrong-question", "a fix has a list of ids of findings");
  const result: FixAnswer = applyFixes(ids, state);
  state.audit({ event: "fix", user: session!.user, client, fixed: result.fixed.join(" ") });
  return answer(result);
}
