// `program` sections (manual 3.7): commands that run beside the workers, from start to stop.
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Program } from "../../model/program.ts";
import { Cursor } from "./cursor.ts";
import type { Mutable } from "./draft.ts";
import { displayText } from "./lexer.ts";
import type { Line } from "./lines.ts";
import type { Reading } from "./reading.ts";

const KEYWORDS = ["command", "group", "option", "user"];

export function readProgram(reading: Reading, header: Line, lines: readonly Line[]): void {
  const cursor = new Cursor(header.words, 1, reading.report);
  const name = cursor.expect("the program's name");
  cursor.expectEnd("warning");
  const program: Mutable<Program> = {
    name: name?.text ?? "",
    command: [],
    user: null,
    group: null,
    startsOnReload: true,
    span: header.span,
  };
  for (const line of lines) readProgramLine(reading, line, program);
  if (program.command.length === 0)
    reading.report.error(
      "missing-argument",
      header.span,
      `the program \`${displayText(program.name)}\` has no \`command\``,
      "Add a line `command PATH ARGUMENT…`.",
    );
  const first = reading.programs.find((other) => other.name === program.name);
  if (name !== null && first !== undefined)
    reading.report.error(
      "duplicate-name",
      name.span,
      `there is already a program \`${displayText(name.text)}\``,
      "Give it another name.",
      [{ span: first.span, message: "the first is here" }],
    );
  reading.programs.push(program);
}

function readProgramLine({ report }: Reading, line: Line, program: Mutable<Program>): void {
  const keyword = line.words[0]!;
  const cursor = new Cursor(line.words, 1, report);
  switch (keyword.text) {
    case "command":
      if (cursor.peek() === null) cursor.expect("a command");
      program.command = cursor.rest().map(({ text }) => text);
      return;
    case "user":
      program.user = cursor.expect("a user's name")?.text ?? null;
      break;
    case "group":
      program.group = cursor.expect("a group's name")?.text ?? null;
      break;
    case "option":
      if (cursor.expectOneOf("option of a program", ["start-on-reload"]) !== null)
        program.startsOnReload = line.modifier !== "no";
      break;
    default:
      report.error(
        "unknown-keyword",
        keyword.span,
        `unknown keyword \`${displayText(keyword.text)}\` in a \`program\` section`,
        suggestWord(keyword.text, KEYWORDS),
      );
      return;
  }
  cursor.expectEnd();
}
