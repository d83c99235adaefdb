// `sallyport convert`: two converters under one name.
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { complainOfUsage } from "./command-line.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport convert config FILE… [options]
       sallyport convert certificate IN [OUT.pem] [options]

config       a configuration for HAProxy 1.5 as one for today
certificate  a PFX/PKCS#12 file, as Windows exports it, as the PEM file that HAProxy wants

sallyport convert config --help and sallyport convert certificate --help show what they take.

Exit codes: 0 converted, 1 not, with the reason.
`;

export async function convert(args: readonly string[], terminal: Terminal): Promise<number> {
  const [what, ...rest] = args;
  switch (what) {
    case "config":
      return (await import("./convert-config.ts")).convertConfig(rest, terminal);
    case "certificate":
      return (await import("./convert-certificate.ts")).convertCertificate(rest, terminal);
    case "--help":
    case "-h":
      terminal.write(HELP);
      return 0;
    case undefined:
      return complainOfUsage(terminal, "convert", "convert what: config or certificate?");
    default:
      return complainOfUsage(
        terminal,
        "convert",
        `there is nothing called ${what} to convert`,
        suggestWord(what, ["config", "certificate"]),
      );
  }
}
