// Routes about consoles: which there are, who looks, and tickets. The consoles themselves are carried by
// `sallyport console serve`, on an address and in a process of their own; here is only the desk that hands
// out tickets, signed with the same key.
import type { Role } from "../../model/dashboard-api.ts";
import type { ConsolesAnswer, TicketAnswer, TicketQuestion } from "../../model/dashboard-datacenter.ts";
import { type ConsoleAccess, consoleAccess } from "../../network/console-rights.ts";
import type { ConsoleDesk } from "../console/configuration.ts";
import { askControlSocket, type ControlAnswer } from "../console/control-socket.ts";
import { consoleUrl } from "../console/portal.ts";
import { issueTicket, readTicketKeys } from "../console/tickets.ts";
import { originOf } from "../console/tls-server.ts";
import { type Answer, answer, refusal } from "./answer.ts";
import type { Call, Route } from "./route.ts";
import { mayAct, type Session } from "./sessions.ts";
import type { DashboardState } from "./state.ts";

const NOT_CONFIGURED: Answer = refusal(
  404,
  "no-consoles",
  "the datacentre has no consoles that could be served",
  "Write `consoles` into its file; sallyport check says what is missing.",
);

export function consoleRoutes(state: DashboardState): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/consoles",
      role: "viewer",
      summary: "Machines with consoles, and who looks at them",
      parameters: [],
      takes: null,
      gives: "ConsolesAnswer",
      run: async ({ session }) => answer(await consolesOf(state.consoleDesk(), session!)),
    },
    {
      method: "POST",
      path: "/consoles/{machine}/tickets",
      role: "viewer",
      summary: "A link to a console, good once and for a minute; with keyboard and mouse for operators only",
      parameters: [{ name: "machine", in: "path", about: "its name" }],
      takes: "TicketQuestion",
      gives: "TicketAnswer",
      run: (call) => giveTicket(call, state),
    },
    {
      method: "DELETE",
      path: "/consoles/viewers/{id}",
      role: "operator",
      summary: "Ends what somebody looks at",
      parameters: [{ name: "id", in: "path", about: "of the viewer" }],
      takes: null,
      gives: "KickAnswer",
      run: (call) => kick(call, state),
    },
  ];
}

async function consolesOf(desk: ConsoleDesk | null, { user, role }: Session): Promise<ConsolesAnswer> {
  if (desk === null) return { isConfigured: false, isServed: false, origin: null, machines: [] };
  const present = await ask(desk, { command: "list" });
  const machines = [...desk.machines].map(([machine, consoles]) => ({
    machine,
    access: accessOf(desk, user, role, machine),
    kinds: (["vnc", "serial"] as const).filter((kind) => consoles[kind] !== null),
    viewers: (present?.viewers ?? [])
      .filter((viewer) => viewer.machine === machine)
      .map(({ id, user, kind, isViewOnly, client, seconds }) => ({
        id,
        user,
        kind,
        isViewOnly,
        client,
        seconds,
      })),
  }));
  return { isConfigured: true, isServed: present !== null, origin: originOf(desk.proxy), machines };
}

/**
 * What both allow, the role of the dashboard and the rights of the file. Administrators could change those.
 */
function accessOf({ rights }: ConsoleDesk, user: string, role: Role, machine: string): ConsoleAccess {
  const access = mayAct(role, "admin") ? "open" : consoleAccess(rights, user, machine);
  return access === "open" && !mayAct(role, "operator") ? "look" : access;
}

function giveTicket({ path, body, session, client }: Call, state: DashboardState): Answer {
  const desk = state.consoleDesk();
  if (desk === null) return NOT_CONFIGURED;
  const question = readTicketQuestion(body);
  if (question === null)
    return refusal(400, "wrong-question", "a ticket has a kind, vnc or serial, and isViewOnly");
  const { kind, isViewOnly } = question;
  const machine = path["machine"]!;
  const { user, role } = session!;
  if (!isViewOnly && !mayAct(role, "operator"))
    return refusal(403, "role-too-low", "keyboard and mouse take the role operator", "Ask for a look only.");
  const access = accessOf(desk, user, role, machine);
  if (access === null || (access === "look" && !isViewOnly)) {
    const reason = access === null ? "no right to this machine" : "may only look";
    state.audit({ event: "ticket-refused", user, client, machine, kind, reason });
    const words = access === null ? "may not open" : "may only look at";
    return refusal(403, "no-right", `${user} ${words} ${machine}`, "`rights` of the consoles say who may.");
  }
  if ((desk.machines.get(machine)?.[kind] ?? null) === null)
    return refusal(404, "unknown-console", `${machine} has no such console`);
  const origin = originOf(desk.proxy);
  const claims = { user, machine, kind, isViewOnly, client, origin };
  try {
    const ticket = issueTicket(claims, readTicketKeys(desk.keyFile), Date.now());
    state.audit({ event: "ticket", user, client, machine, kind, viewOnly: isViewOnly });
    const answered: TicketAnswer = { url: consoleUrl(origin, kind, isViewOnly, ticket) };
    return answer(answered);
  } catch {
    return refusal(
      503,
      "no-ticket-key",
      "there is no key to sign tickets with",
      "sallyport console serve makes it at its first start.",
    );
  }
}

async function kick({ path, session, client }: Call, state: DashboardState): Promise<Answer> {
  const desk = state.consoleDesk();
  if (desk === null) return NOT_CONFIGURED;
  const present = await ask(desk, { command: "kick", name: path["id"]! });
  if (present === null) return refusal(503, "not-served", "no console proxy runs for this datacentre");
  if (present.kicked === 0) return refusal(404, "unknown-viewer", "nobody of this id looks");
  state.audit({ event: "kick", user: session!.user, client, session: path["id"]! });
  return answer({ kicked: present.kicked });
}

/** Null: nobody serves there. */
async function ask(
  { controlSocket }: ConsoleDesk,
  question: Parameters<typeof askControlSocket>[1],
): Promise<ControlAnswer | null> {
  return askControlSocket(controlSocket, question).catch(() => null);
}

function readTicketQuestion(body: unknown): TicketQuestion | null {
  if (typeof body !== "object" || body === null) return null;
  const { kind, isViewOnly } = body as Partial<Record<keyof TicketQuestion, unknown>>;
  if ((kind !== "vnc" && kind !== "serial") || typeof isViewOnly !== "boolean") return null;
  return { kind, isViewOnly };
}
