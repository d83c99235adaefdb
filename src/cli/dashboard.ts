// `sallyport dashboard`: the users of the dashboard in their file. The dashboard itself is served by `run`.
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { ROLES } from "../model/dashboard-api.ts";
import { readUsers, removeUser, setPassword, setRole, userNameFault } from "../server/console/users.ts";
import { type CommandLine, complainOfUsage, readCommandLine } from "./command-line.ts";
import { askNewPassword } from "./new-password.ts";
import { columns, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport dashboard user FILE NAME [options]
       sallyport dashboard list FILE

The users of a dashboard that is served to others than this machine: sallyport run --dashboard ADDRESS
--dashboard-users FILE. user asks for a password and writes it, hashed, into FILE; with --role alone a user who is there
keeps his password. list shows who may do what. A change counts at once.

A viewer sees everything but the audit log. An operator also drains servers, changes weights and opens consoles. An admin
also mends files, reloads and reads the audit log.

Options:
  --role ROLE  viewer, operator or admin (default: viewer)
  --remove     take the user away
  -h, --help   show this

Examples:
  sallyport dashboard user /etc/sallyport/users anna --role admin
  sallyport dashboard list /etc/sallyport/users

Exit codes: 0 done, 1 not, with the reason.
`;

const WORDS = ["user", "list"] as const;

export async function dashboard(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, [
    { name: "role", takesValue: true },
    { name: "remove", takesValue: false },
  ]);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  const complain = (message: string, help: string | null = null): 1 =>
    complainOfUsage(terminal, "dashboard", message, help);
  if (reading.kind === "wrong") return complain(reading.message, reading.help);
  const { line } = reading;
  const [what, file, name, extra] = line.words;
  if (what === undefined) return complain("dashboard user or list?");
  if (what !== "user" && what !== "list")
    return complain(`there is no dashboard ${what}`, suggestWord(what, WORDS));
  if (file === undefined) return complain("which file?");
  const surplus = what === "list" ? name : extra;
  if (surplus !== undefined) return complain(`what is ${surplus}?`);
  try {
    if (what === "list") return list(file, terminal);
    if (name === undefined) return complain("which user?");
    const problem = await changeUser(file, name, line, terminal);
    return problem === null ? 0 : complain(problem);
  } catch (error) {
    return complain((error as Error).message);
  }
}

function list(file: string, terminal: Terminal): number {
  const rows = [...readUsers(file)].map(([name, { role }]) => [name, role]);
  for (const row of columns(rows)) terminal.write(`${row}\n`);
  if (rows.length === 0) terminal.write("nobody can log in\n");
  return 0;
}

/** Null: done. */
async function changeUser(
  file: string,
  name: string,
  line: CommandLine,
  terminal: Terminal,
): Promise<string | null> {
  const fault = userNameFault(name);
  if (fault !== null) return fault;
  if (line.has("remove")) {
    if (!removeUser(file, name)) return `there is no user ${name}`;
    terminal.write(`${name} is gone\n`);
    return null;
  }
  const wanted = line.valueOf("role");
  const role = ROLES.find((one) => one === wanted) ?? null;
  if (wanted !== null && role === null) return `there is no role ${wanted}: viewer, operator or admin`;
  if (role !== null && setRole(file, name, role)) {
    terminal.write(`${name} is ${role} now\n`);
    return null;
  }
  const asked = await askNewPassword(name, terminal);
  if (!asked.ok) return asked.message;
  await setPassword(file, name, asked.password, role);
  terminal.write(`${name} can log in as ${readUsers(file).get(name)?.role}\n`);
  return null;
}
