// `consoles` and `publish`: what is reached from outside.
import type {
  ConsoleAddress,
  ConsoleBackend,
  ConsoleEndpoint,
  ConsoleRight,
  ConsoleSignOn,
  Consoles,
  Located,
  Publication,
} from "../../model/datacenter.ts";
import { ipAndMaybePort, ipAndPort, subnet } from "./address-values.ts";
import { entry, essentialKey, key } from "./keys.ts";
import { duration, parsePort, port } from "./number-values.ts";
import { parseReferenceWord, reference, text } from "./text-values.ts";
import { complaint, listOf, mapOf, oneOrMore, scalar, type ValueType, word } from "./value-type.ts";

const consoleEndpoint: ValueType<ConsoleEndpoint> = entry(
  {
    id: "console-endpoint",
    words: "a console endpoint",
    doc: "An address that browsers connect to.",
    table: {
      address: essentialKey(ipAndPort, "Address and port.", { example: '"203.0.113.11:443"' }),
      certificate: key(text("a file"), "Its certificate, PEM or PFX.", { example: "console.pfx" }),
      public: key(text("a name and port"), "What browsers are told when a NAT is in front.", {
        example: '"consoles.company.com:443"',
      }),
    },
  },
  (values, { span }) => ({ ...values, span }),
);

const backendAddress: ValueType<Located<ConsoleAddress>> = scalar<ConsoleAddress>(
  "the address of a console",
  { type: "string" },
  (value) => {
    const [, path] = /^unix:(\/\S+)$/.exec(value) ?? [];
    if (path !== undefined) return { value: { kind: "unix", path } };
    const [, kind, bracketed, plain, digits] =
      /^(tcp|tls):(?:\[([\da-fA-F:.]+)\]|([\w.-]+)):(\d+)$/.exec(value) ?? [];
    const host = bracketed ?? plain;
    if (kind === undefined || host === undefined)
      return complaint(
        "bad-console-address",
        `\`${value}\` is no address of a console`,
        "Write unix:/run/web-001.vnc, tcp:10.0.0.5:5900 or tls:10.0.0.5:5900.",
      );
    const number = parsePort(digits!);
    return "value" in number
      ? { value: { kind: kind === "tls" ? "tls" : "tcp", host, port: number.value } }
      : number;
  },
);

const fingerprint: ValueType<Located<string>> = scalar(
  "the SHA-256 fingerprint of a certificate",
  { type: "string" },
  (value) => {
    const digits = value
      .replace(/^sha-?256[:=]/i, "")
      .replaceAll(":", "")
      .toLowerCase();
    return /^[\da-f]{64}$/.test(digits)
      ? { value: digits }
      : complaint(
          "bad-fingerprint",
          `\`${value}\` is no fingerprint of a certificate`,
          "`openssl x509 -noout -fingerprint -sha256` shows it: 64 hexadecimal digits.",
        );
  },
);

const headerName: ValueType<Located<string>> = scalar("the name of a header", { type: "string" }, (value) =>
  /^[\w-]+$/.test(value)
    ? { value: value.toLowerCase() }
    : complaint("bad-name", `\`${value}\` is not the name of a header`),
);

const backend: ValueType<Omit<ConsoleBackend, "machine">> = entry(
  {
    id: "console-backend",
    words: "the console of a machine",
    doc: "Where the screen or the serial line of a machine is: `unix:PATH`, `tcp:HOST:PORT` or `tls:HOST:PORT`.",
    table: {
      vnc: key(backendAddress, "Its screen, by VNC.", { example: '"unix:/run/web-001.vnc"' }),
      serial: key(backendAddress, "Its serial line.", { example: '"tcp:10.0.0.5:7000"' }),
      "password-file": key(text("a file"), "Its first line is the password that the VNC server wants.", {
        example: "web-001.password",
      }),
      fingerprint: key(fingerprint, "SHA-256 of the certificate behind `tls:`; no other is taken.", {
        example: `"${"ab".repeat(32)}"`,
      }),
    },
  },
  (values, place, reading) => {
    if (values.vnc === null && values.serial === null && !place.has("vnc") && !place.has("serial"))
      reading.error("missing-key", place.span, "the console of a machine needs `vnc` or `serial`", {
        help: 'Write `vnc: "unix:/run/web-001.vnc"`.',
      });
    for (const address of [values.vnc, values.serial]) {
      if (address?.value.kind !== "tls" || place.has("fingerprint")) continue;
      reading.error("missing-key", address.span, "a console behind `tls:` needs `fingerprint`", {
        help: "Any certificate would do without: `openssl x509 -noout -fingerprint -sha256` shows it.",
      });
    }
    return {
      vnc: values.vnc,
      serial: values.serial,
      passwordFile: values["password-file"],
      fingerprint: values.fingerprint,
    };
  },
);

const signOn: ValueType<ConsoleSignOn> = entry(
  {
    id: "console-sign-on",
    words: "a sign-on proxy",
    doc: "A proxy in front of the portal that has found out who somebody is.",
    table: {
      header: essentialKey(headerName, "The header in which it says the user's name.", {
        example: "x-forwarded-user",
      }),
      from: essentialKey(oneOrMore(subnet), "Its addresses. From others the header means nothing.", {
        example: "10.0.0.0/24",
      }),
    },
  },
  (values) => values,
);

const machinePattern: ValueType<Located<string>> = scalar(
  "the name of a machine, or a pattern such as web-*",
  { type: "string" },
  (value) =>
    /^[\w./*-]+$/.test(value)
      ? { value }
      : complaint("bad-name", `\`${value}\` is neither the name of a machine nor a pattern of one`),
);

const consoleRight: ValueType<Omit<ConsoleRight, "user">> = entry(
  {
    id: "console-right",
    words: "what a user may open",
    doc: "Machines whose consoles a user may open. Who is not named has what `*` has, or nothing.",
    table: {
      open: key(oneOrMore(machinePattern), "Machines that he may use; `*` stands for any letters.", {
        example: "[web-*, db]",
      }),
      look: key(oneOrMore(machinePattern), "Machines that he may only look at.", { example: '"*"' }),
    },
  },
  (values, { span }) => ({ open: values.open ?? [], look: values.look ?? [], span }),
);

export const consoles: ValueType<Consoles> = entry(
  {
    id: "consoles",
    words: "consoles",
    doc: "Consoles of machines through one public address, so that no hypervisor is reachable from outside.",
    table: {
      portal: key(consoleEndpoint, "Where people log in.", { example: '{address: "203.0.113.10:443"}' }),
      proxy: key(consoleEndpoint, "Where their browsers get consoles from; an address of its own.", {
        example: '{address: "203.0.113.11:443", certificate: console.pfx}',
      }),
      backends: key(
        mapOf("consoles of machines", backend, (name) =>
          "value" in parseReferenceWord(name) ? null : `\`${name}\` is not the name of a machine`,
        ),
        "Where the consoles of the machines are.",
        { example: '{web-001: {vnc: "unix:/run/web-001.vnc"}, db: {serial: "tcp:10.0.0.5:7000"}}' },
      ),
      key: key(text("a file"), "Keys that sign tickets; made when it is not there.", {
        example: "/var/lib/sallyport/consoles.key",
        default: "consoles.key beside this file",
      }),
      users: key(text("a file"), "Users and hashes of their passwords, as `console user` writes it.", {
        example: "console-users",
      }),
      "sign-on": key(signOn, "Users that a proxy in front of the portal names.", {
        example: "{header: x-forwarded-user, from: 10.0.0.0/24}",
      }),
      rights: key(
        mapOf("rights of users", consoleRight, (name) =>
          name === "*" || /^[\w.@-]{1,64}$/.test(name) ? null : `\`${name}\` is not the name of a user`,
        ),
        "Who may open which consoles, by the name of the user.",
        { example: '{anna: {open: "*"}, ben: {open: web-*, look: "*"}}', default: "everybody may open all" },
      ),
      audit: key(text("a file"), "One line of JSON for each event.", {
        example: "/var/log/sallyport/consoles.log",
        default: "standard output",
      }),
      control: key(text("a unix socket"), "For `console list` and `console kick`.", {
        example: "/run/sallyport/consoles.sock",
        default: "consoles.sock beside this file",
      }),
      idle: key(duration("s"), "A console without keyboard and mouse is closed after it; 0 for never.", {
        example: "5m",
        default: "15m",
      }),
      session: key(duration("s"), "No console is open longer; 0 for no limit.", {
        example: "1h",
        default: "8h",
      }),
    },
  },
  (values, { span }) => ({
    portal: values.portal,
    proxy: values.proxy,
    backends: (values.backends ?? []).map(({ name, value }) => ({ machine: name, ...value })),
    key: values.key,
    users: values.users,
    signOn: values["sign-on"],
    rights: values.rights?.map(({ name, value }) => ({ user: name, ...value })) ?? null,
    audit: values.audit,
    control: values.control,
    idleMs: values.idle,
    sessionMs: values.session,
    span,
  }),
);

const publication: ValueType<Publication> = entry(
  {
    id: "publication",
    words: "a publication",
    doc: "A port of a machine that is reached from outside. The NAT and firewall rules of all edges between are derived.",
    table: {
      machine: essentialKey(reference("the name of a machine"), "Who is published.", {
        example: "shop.test-a/web",
      }),
      port: essentialKey(port, "The port that it serves.", { example: "80" }),
      protocol: key(word("tcp or udp", ["tcp", "udp"]), "Its protocol.", { example: "udp", default: "tcp" }),
      at: key(ipAndMaybePort, "The outside address, and the port if it is another.", {
        example: '"203.0.113.10:8001"',
        default: "an address of the edge and a free port",
      }),
    },
  },
  (values, { span }) => ({ ...values, span }),
);

export const publications: ValueType<readonly Publication[]> = listOf("publications", publication);
