// `userlist` sections (manual 3.4).

import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { Userlist } from "../../model/proxy.ts";
import { Cursor } from "./cursor.ts";
import { displayText } from "./lexer.ts";
import type { Line } from "./lines.ts";
import type { Reading } from "./reading.ts";
import type { Word } from "./word.ts";

interface UserDraft {
  readonly name: string;
  readonly password: string;
  readonly isPlain: boolean;
  readonly groups: Set<string>;
  readonly span: Span;
}

export function readUserlist(reading: Reading, name: string, span: Span, lines: readonly Line[]): void {
  const users = new Map<string, UserDraft>();
  const groups = new Map<string, { readonly members: readonly Word[] }>();
  for (const line of lines) {
    const keyword = line.words[0]!;
    const cursor = new Cursor(line.words, 1, reading.report);
    if (keyword.text === "user") readUser(cursor, users, line.span);
    else if (keyword.text === "group") readGroup(cursor, groups);
    else {
      const help = suggestWord(keyword.text, ["user", "group"]);
      reading.report.error(
        "unknown-keyword",
        keyword.span,
        `unknown keyword \`${displayText(keyword.text)}\` in a \`userlist\` section`,
        help,
      );
    }
  }
  for (const [group, { members }] of groups) {
    for (const member of members) {
      const user = users.get(member.text);
      if (user !== undefined) user.groups.add(group);
      else
        reading.report.error(
          "unknown-name",
          member.span,
          `there is no user \`${displayText(member.text)}\` in this list`,
          suggestWord(member.text, users.keys()),
        );
    }
  }
  reading.userlists.push({ name, users: [...users.values()].map(toUser), span });
}

function toUser({ name, password, isPlain, groups }: UserDraft): Userlist["users"][number] {
  return { name, password, isPlain, groups: [...groups] };
}

function readUser(cursor: Cursor, users: Map<string, UserDraft>, span: Span): void {
  const name = cursor.expect("a user's name");
  if (name === null) return;
  let password = "";
  let isPlain = true;
  const groups = new Set<string>();
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    if (word.text === "password" || word.text === "insecure-password") {
      isPlain = word.text === "insecure-password";
      password = cursor.expect("a password")?.text ?? "";
    } else if (word.text === "groups")
      for (const group of cursor.expect("a list of groups")?.text.split(",") ?? []) groups.add(group);
    else cursor.unknown(word, "word of `user`", ["password", "insecure-password", "groups"]);
  }
  const first = users.get(name.text);
  if (first === undefined) users.set(name.text, { name: name.text, password, isPlain, groups, span });
  else
    cursor.report.warning(
      "duplicate-name",
      name.span,
      `the user \`${displayText(name.text)}\` is there already; this line is ignored`,
      null,
      [{ span: first.span, message: "the first is here" }],
    );
}

function readGroup(cursor: Cursor, groups: Map<string, { members: readonly Word[] }>): void {
  const name = cursor.expect("a group's name");
  if (name === null) return;
  let members: readonly Word[] = [];
  if (cursor.take("users") !== null) {
    const word = cursor.expect("a list of users");
    members = word === null ? [] : word.text.split(",").map((text) => ({ ...word, text }));
  }
  cursor.expectEnd();
  groups.set(name.text, { members });
}
