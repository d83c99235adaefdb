// The pages of `docs/checks/`: what `check` says of each page's example, and the index of all of them. A page
// has two examples, fences of `yaml`: the first has the fault and, below it, a fence of `console` with what
// is said; the second is the same without the fault.
import { renderDiagnostics } from "../src/diagnostic/render.ts";
import { readDatacenter } from "../src/language/datacenter/reader.ts";
import type { Finding } from "../src/network/check/check.ts";
import { CHECK_RULES } from "../src/network/check/rules.ts";
import { resolveDatacenter } from "../src/network/resolve/resolve.ts";
import { findAll } from "../src/server/datacenter/find-all.ts";
import type { LoadedDatacenter } from "../src/server/datacenter/load-datacenter.ts";

export const CHECKS_FOLDER = "docs/checks";
export const CHECKS_INDEX: string = `${CHECKS_FOLDER}/README.md`;
export const CHECK_PAGES: readonly string[] = CHECK_RULES.map(({ code }) => `${CHECKS_FOLDER}/${code}.md`);

const FILE_NAME = "datacenter.yaml";
const YAML = /^```yaml\n([\s\S]*?)^```$/gm;
const CONSOLE = /^```console\n[\s\S]*?^```$/m;

/** The two examples of a page: with the fault, and without. */
export function examplesOf(page: string): readonly string[] {
  return [...page.matchAll(YAML)].map(([, text]) => text!);
}

/** The page with the output of today. */
export function renewCheckPage(page: string): string {
  const [broken = ""] = examplesOf(page);
  const output = `\`\`\`console\n$ sallyport check ${FILE_NAME}\n${outputOf(broken)}\`\`\``;
  return page.replace(CONSOLE, () => output);
}

export function renewCheckIndex(): string {
  const errors = CHECK_RULES.filter(({ severity }) => severity === "error").length;
  const rows = CHECK_RULES.map(
    ({ code, severity, title }) =>
      `| [${code}](${code}.md) | ${severity} | ${title.replaceAll("|", "\\|")} |`,
  );
  return `# Checks

\`sallyport check FILE\` holds a datacentre file against ${CHECK_RULES.length} rules, of which ${errors} are about errors, before
anything is touched, and tells all that it finds at once. Each has a page: what it means, an example with what is
said of it, and the example mended. \`check --fix\` carries out what can do no harm. Names that nothing has, and
values that cannot be read, are in [errors and warnings](../errors.md).

| check | | finds that |
|---|---|---|
${rows.join("\n")}
`;
}

/** Everything that \`sallyport check\` finds in a text, by the same way. */
export function findingsOf(text: string): readonly Finding[] {
  const environment = { variables: {}, readFile: () => null, listFiles: () => [] };
  const reading = readDatacenter([{ name: FILE_NAME, text }], environment);
  const { datacenter } = reading;
  const resolution = datacenter === null ? null : resolveDatacenter(datacenter);
  const loaded: LoadedDatacenter = {
    sources: [{ name: FILE_NAME, text }],
    diagnostics: [...reading.diagnostics, ...(resolution?.diagnostics ?? [])],
    datacenter,
    resolved: resolution?.resolved ?? null,
    loadBalancers: [],
    loadBalancerBinds: [],
  };
  return findAll(loaded);
}

function outputOf(text: string): string {
  return renderDiagnostics(findingsOf(text), { source: () => text, colour: false });
}
