// `sallyport export`: a host's part of a datacentre file as the files of netplan or systemd-networkd, for who
// wants those to hold its bonds and VLANs.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { exportNetplan } from "../network/export/netplan.ts";
import { exportNetworkd } from "../network/export/networkd.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { loadUsable } from "./datacenter-file.ts";
import { colour, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport export netplan|networkd FILE [options]

Writes interfaces, bonds, VLANs and bridges of one host as the files of netplan or systemd-networkd.

Options:
  --host NAME  the host; needed when FILE has several
  --into DIR   write the files into this folder instead of showing them
  -h, --help   show this

Examples:
  sallyport export netplan datacenter.yaml --host web-host --into /etc/netplan
  sallyport export networkd datacenter.yaml

Exit codes: 0 written, 1 not, with the reason.
`;

const FORMS = { netplan: exportNetplan, networkd: exportNetworkd } as const;

export async function exportFiles(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, [
    { name: "host", takesValue: true },
    { name: "into", takesValue: true },
  ]);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  const complain = (message: string, help: string | null = null): 1 =>
    complainOfUsage(terminal, "export", message, help);
  if (reading.kind === "wrong") return complain(reading.message, reading.help);
  const [form, file, ...rest] = reading.line.words;
  const forms = Object.keys(FORMS);
  if (form === undefined) return complain(`export what: ${forms.join(" or ")}?`);
  if (!(form === "netplan" || form === "networkd"))
    return complain(`there is no export to ${form}`, suggestWord(form, forms));
  if (file === undefined) return complain("which file?");
  if (rest.length > 0) return complain(`one file at a time: what is ${rest[0]}?`);
  const usable = loadUsable(file, terminal);
  if (usable === null) return 1;
  const { hosts } = usable.datacenter;
  const names = hosts.map(({ name }) => name);
  const wanted = reading.line.valueOf("host");
  if (hosts.length === 0) return complain(`${file} has no hosts`);
  if (wanted === null && hosts.length > 1)
    return complain(`which host? There are ${names.join(", ")}`, "--host NAME");
  const host = wanted === null ? hosts[0]! : hosts.find(({ name }) => name === wanted);
  if (host === undefined) return complain(`there is no host ${wanted}`, suggestWord(wanted!, names));
  const exported = FORMS[form](usable.datacenter, host);
  const into = reading.line.valueOf("into");
  for (const [name, text] of exported.files) {
    if (into === null) {
      terminal.write(`${exported.files.size > 1 ? `# ${name}\n` : ""}${text}`);
      continue;
    }
    const path = join(into, name);
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text, { mode: 0o600 });
    } catch (error) {
      return complain(`cannot write ${path}: ${(error as Error).message}`);
    }
    terminal.write(`${colour(terminal.isColour, "good", "written")} ${path}\n`);
  }
  for (const sentence of exported.left) {
    terminal.error(`${colour(terminal.isErrorColour, "warning", "left out")}: ${sentence}\n`);
  }
  return 0;
}
