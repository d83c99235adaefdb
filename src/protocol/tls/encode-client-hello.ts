// Writes the smallest ClientHello that a TLS 1.3 client could send (RFC 8446 section 4.1.2), for those who
// have to show one to rules without having a client. It offers no key share: nobody could finish the
// handshake with it.

/**
 * One record. `serverName` "" sends no server_name extension (RFC 6066 section 3); empty `alpn` none of RFC
 * 7301.
 */
export function encodeClientHello(serverName: string, alpn: readonly string[] = []): Uint8Array {
  const extensions = [extension(43, [2, 3, 4])];
  if (serverName !== "") {
    const name = bytesOf(serverName);
    extensions.unshift(extension(0, [...sized(2, [0, ...sized(2, name)])]));
  }
  if (alpn.length > 0)
    extensions.push(
      extension(
        16,
        sized(
          2,
          alpn.flatMap((word) => sized(1, bytesOf(word))),
        ),
      ),
    );
  const random = new Array<number>(32).fill(0);
  const hello = [
    3,
    3,
    ...random,
    0,
    ...sized(2, [0x13, 0x01, 0x13, 0x02]),
    1,
    0,
    ...sized(2, extensions.flat()),
  ];
  return Uint8Array.from([22, 3, 1, ...sized(2, [1, ...sized(3, hello)])]);
}

function extension(type: number, content: readonly number[]): number[] {
  return [type >> 8, type & 0xff, ...sized(2, content)];
}

/** `content` behind its length in `width` bytes. */
function sized(width: number, content: readonly number[]): number[] {
  const length = Array.from({ length: width }, (_, i) => (content.length >> (8 * (width - 1 - i))) & 0xff);
  return [...length, ...content];
}

function bytesOf(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}
