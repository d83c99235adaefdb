// The acls that every proxy has without saying so (manual, section 7.4). A proxy may define its own of the
// same name.
import { NO_SPAN } from "../../../diagnostic/span.ts";
import type { Acl } from "../../../model/sample.ts";
import { wordAt } from "../word.ts";
import { parseAclTest } from "./acl-parser.ts";
import { builtInContext } from "./built-in-context.ts";

const DEFINITIONS: Readonly<Record<string, string>> = {
  TRUE: "always_true",
  FALSE: "always_false",
  LOCALHOST: "src 127.0.0.1/8 ::1",
  HTTP: "req.proto_http",
  "HTTP_1.0": "req.ver 1.0",
  "HTTP_1.1": "req.ver 1.1",
  "HTTP_2.0": "req.ver 2.0",
  METH_CONNECT: "method CONNECT",
  METH_DELETE: "method DELETE",
  METH_GET: "method GET HEAD",
  METH_HEAD: "method HEAD",
  METH_OPTIONS: "method OPTIONS",
  METH_POST: "method POST",
  METH_PUT: "method PUT",
  METH_TRACE: "method TRACE",
  HTTP_URL_ABS: "url_reg ^[^/:]*://",
  HTTP_URL_SLASH: "url_beg /",
  HTTP_URL_STAR: "url *",
  HTTP_CONTENT: "req.hdr_val(content-length) gt 0",
  RDP_COOKIE: "req.rdp_cookie_cnt gt 0",
  REQ_CONTENT: "req.len gt 0",
  WAIT_END: "wait_end",
};

export const PREDEFINED_ACL_NAMES: readonly string[] = Object.keys(DEFINITIONS);

const acls = new Map<string, Acl>();

/** Read when it is first used: most files use few of them. Null: there is none of that name. */
export function predefinedAcl(name: string): Acl | null {
  if (!Object.hasOwn(DEFINITIONS, name)) return null;
  const acl = acls.get(name) ?? readDefinition(name, DEFINITIONS[name]!);
  acls.set(name, acl);
  return acl;
}

function readDefinition(name: string, definition: string): Acl {
  const words = definition.split(" ").map((text) => wordAt(text, NO_SPAN));
  return { name, tests: [parseAclTest(words, NO_SPAN, builtInContext("request"))!] };
}
