// Routes about who asks: the session, logging in and out, and what was done.
import { VERSION } from "../../base/version.ts";
import type { SessionAnswer } from "../../model/dashboard-api.ts";
import { userNameFault } from "../console/users.ts";
import { type Answer, answer, refusal } from "./answer.ts";
import { type Call, numberOf, type Route } from "./route.ts";
import type { Session, Sessions } from "./sessions.ts";
import type { DashboardState } from "./state.ts";
import { textOf } from "./traffic-routes.ts";

const AUDIT_DEFAULT = 100;
const AUDIT_MAX = 1000;
const NAME_CHARACTERS_MAX = 64;

export function sessionRoutes(state: DashboardState, sessions: Sessions): readonly Route[] {
  const describe = (session: Session | null) => describeSession(session, state, sessions);
  return [
    {
      method: "GET",
      path: "/session",
      role: null,
      summary: "Who is logged in, and the token for everything that changes something",
      parameters: [],
      takes: null,
      gives: "SessionAnswer",
      run: ({ session }) => answer(describe(session)),
    },
    {
      method: "POST",
      path: "/session",
      role: null,
      summary: "Logs in",
      parameters: [],
      takes: "LoginQuestion",
      gives: "SessionAnswer",
      run: (call) => logIn(call, state, sessions),
    },
    {
      method: "DELETE",
      path: "/session",
      role: "viewer",
      summary: "Logs out",
      parameters: [],
      takes: null,
      gives: "SessionAnswer",
      run: ({ request, session, client }) => {
        const cookie = sessions.logOut(request);
        state.audit({ event: "logout", user: session!.user, client });
        return answer(describe(session!.isSignedOn ? session : null), { "set-cookie": cookie });
      },
    },
    {
      method: "GET",
      path: "/audit",
      role: "admin",
      summary: "What was done in the dashboard, the newest first",
      parameters: [{ name: "limit", in: "query", about: "1 to 1000; 100 without it" }],
      takes: null,
      gives: "AuditAnswer",
      run: ({ query }) =>
        answer(state.auditTail.newest(Math.max(1, numberOf(query, "limit", AUDIT_DEFAULT, AUDIT_MAX)))),
    },
  ];
}

async function logIn(
  { body, request, client }: Call,
  state: DashboardState,
  sessions: Sessions,
): Promise<Answer> {
  const user = textOf(body, "user");
  const password = textOf(body, "password");
  if (user === null || password === null)
    return refusal(400, "wrong-question", "a login has user and password");
  const present = sessions.find(request);
  if (present?.isSignedOn === true) return answer(describeSession(present, state, sessions));
  const facts = { user: user.slice(0, NAME_CHARACTERS_MAX), client };
  const isName = userNameFault(user) === null;
  const outcome = await sessions.logIn(isName ? user : "", password, client);
  if (outcome.kind === "too-many") {
    if (outcome.isNews) state.audit({ event: "login-refused", ...facts, reason: "too many failures" });
    return refusal(429, "too-many-failures", "too many failures from here", "Wait a minute.", {
      "retry-after": String(outcome.retryAfterSeconds),
    });
  }
  if (outcome.kind === "wrong") {
    state.audit({ event: "login-refused", ...facts, reason: "wrong name or password" });
    return refusal(403, "wrong-login", "this name and password are not known");
  }
  state.audit({ event: "login", ...facts, role: outcome.session.role });
  return answer(describeSession(outcome.session, state, sessions), {
    "set-cookie": sessions.cookieHeader(request, outcome.cookie),
  });
}

function describeSession(session: Session | null, state: DashboardState, sessions: Sessions): SessionAnswer {
  const { settings, source, hasConsoles } = state;
  return {
    user: session?.user ?? null,
    role: session?.role ?? null,
    csrfToken: session?.csrfToken ?? null,
    isLoginRequired: sessions.isLoginRequired && session?.isSignedOn !== true,
    program: { version: VERSION, node: source.actions.facts.node, isDemo: settings.isDemo },
    features: { datacenter: settings.datacenterFile !== null, consoles: hasConsoles },
  };
}
