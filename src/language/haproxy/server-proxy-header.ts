// The words of a `server` line that ask for a PROXY header, and for what it tells of TLS (manual 5.2).
import type { ServerDraft } from "./server-draft.ts";
import type { ServerWord } from "./server-line.ts";

const TLVS = ["ssl", "cert-cn", "ssl-cipher", "cert-sig", "cert-key", "authority", "crc32c", "unique-id"];

export const PROXY_HEADER_READERS: Readonly<Record<string, (word: ServerWord) => void>> = {
  "send-proxy": ({ draft }) => {
    draft.sendProxy = { version: 1, tlvs: [] };
  },
  "no-send-proxy": ({ draft }) => takeBack(draft, 1),
  "send-proxy-v2": ({ draft }) => sendVersion2(draft, []),
  "no-send-proxy-v2": ({ draft }) => takeBack(draft, 2),
  "send-proxy-v2-ssl": ({ draft }) => sendVersion2(draft, ["ssl"]),
  "no-send-proxy-v2-ssl": ({ draft }) => takeBack(draft, 2),
  "send-proxy-v2-ssl-cn": ({ draft }) => sendVersion2(draft, ["ssl", "cert-cn"]),
  "no-send-proxy-v2-ssl-cn": ({ draft }) => takeBack(draft, 2),
  "proxy-v2-options": ({ cursor, draft }) => {
    const word = cursor.expect("a list of options");
    if (word === null) return;
    const names = word.text.split(",");
    for (const name of names)
      if (!TLVS.includes(name)) cursor.unknown({ ...word, text: name }, "option of `proxy-v2-options`", TLVS);
    // Without another word they alone ask for the header; version 1 has no place for them.
    if (draft.sendProxy?.version !== 1) sendVersion2(draft, names);
  },
};

/** What one word asks for is sent beside what another has asked for. */
function sendVersion2(draft: ServerDraft, tlvs: readonly string[]): void {
  draft.sendProxy = { version: 2, tlvs: [...new Set([...(draft.sendProxy?.tlvs ?? []), ...tlvs])] };
}

function takeBack(draft: ServerDraft, version: 1 | 2): void {
  if (draft.sendProxy?.version === version) draft.sendProxy = null;
}
