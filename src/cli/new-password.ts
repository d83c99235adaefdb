// Asks for a password twice at a terminal, for the commands that write users into a file.
import type { Terminal } from "./terminal.ts";

const CHARACTERS_MIN = 8;

export type NewPassword =
  | { readonly ok: true; readonly password: string }
  | { readonly ok: false; readonly message: string };

export async function askNewPassword(name: string, terminal: Terminal): Promise<NewPassword> {
  const password = await terminal.askSecret(`Password of ${name}: `);
  if (password === null) return { ok: false, message: "a password is asked for at a terminal only" };
  if (password.length < CHARACTERS_MIN)
    return { ok: false, message: `a password has ${CHARACTERS_MIN} characters or more` };
  if ((await terminal.askSecret("Once more: ")) !== password) return { ok: false, message: "they differ" };
  return { ok: true, password };
}
