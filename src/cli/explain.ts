// `sallyport explain`: where a packet or a request goes, and which line decided it. What is asked about is
// told by the first word.
import { complainOfUsage } from "./command-line.ts";
import { isDatacenterFile } from "./is-datacenter-file.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport explain DATACENTER.yaml FROM to TO [tcp|udp|icmp] [PORT] [options]
       sallyport explain DATACENTER.yaml FROM and TO
       sallyport explain publish DATACENTER.yaml [ADDRESS:PORT]
       sallyport explain request FILE… URL [options]

A packet: its way through switches, edges and fences, hop by hop, with the line that decided each step. FROM and TO are
names of the file (web-001, shop.test-a/web, internet) or, for TO, an address; "and" asks whether two need a router.
A publication: what it becomes at each edge. A request: its way through an haproxy.cfg, from rules to server and cookie;
sallyport explain request --help tells more.

Options for packets:
  --back       the way of the answer too
  --brief      only what decides
  --full       everything: each frame at each port
  --json       as data
  --url URL    what is asked of a load balancer where the way ends at one; -X METHOD and -H 'NAME: VALUE' change it
  --pcap OUT   write the frames to a file for Wireshark or tshark; each port is an interface
  --live       send it in the network that sallyport apply has made (--rootless: in one of your own; --host NAME), listen
               at every cable, and hold the frames, there and back, against these, and the rules that the kernel
               says it met in edges and fences
  -h, --help   show this

Examples:
  sallyport explain datacenter.yaml web-001 and web-002
  sallyport explain datacenter.yaml internet to 203.0.113.10:8001 --back
  sallyport explain datacenter.yaml shop.test-a/web to shop.test-a/db tcp 5432 --full
  sallyport explain publish datacenter.yaml 203.0.113.10:8001
  sallyport explain --rootless datacenter.yaml internet to 203.0.113.10:8001 --live

Exit codes: 0 it arrives, 1 it does not, or the question or the file is wrong; with --live 0 when the kernel agrees.
`;

export async function explain(args: readonly string[], terminal: Terminal): Promise<number> {
  const [first, ...rest] = args;
  switch (first) {
    case undefined:
      return complainOfUsage(terminal, "explain", "explain what?");
    case "--help":
    case "-h":
      terminal.write(HELP);
      return 0;
    case "request":
      return (await import("./explain-request.ts")).explainRequestCommand(rest, terminal);
    case "publish":
      return (await import("./explain-publish.ts")).explainPublish(rest, terminal);
  }
  if (args.some((word) => word === "--help" || word === "-h")) {
    terminal.write(HELP);
    return 0;
  }
  if (args.includes("--live")) return (await import("./explain-live.ts")).explainLive(args, HELP, terminal);
  if (isDatacenterFile(first)) return (await import("./explain-packet.ts")).explainPacket(args, terminal);
  return complainOfUsage(
    terminal,
    "explain",
    `${first} is neither \`request\`, \`publish\` nor a .yaml file`,
  );
}
