// The answer to the challenge of VNC authentication (RFC 6143, section 7.2.2): DES with the password as key.
import { createCipheriv } from "node:crypto";

export const CHALLENGE_BYTES = 16;
/** What is behind them has never counted. */
const PASSWORD_BYTES_MAX = 8;

export function answerChallenge(challenge: Uint8Array, password: string): Buffer {
  const key = Buffer.alloc(PASSWORD_BYTES_MAX);
  Buffer.from(password, "latin1").copy(key);
  // The first implementation read each byte from its other end, and all followed it (errata 4951).
  for (let i = 0; i < key.length; i++) key[i] = reverseBits(key[i]!);
  // OpenSSL 3 keeps plain DES in a provider that is not loaded; 3DES with one key three times is the same.
  const cipher = createCipheriv("des-ede3-ecb", Buffer.concat([key, key, key]), null);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(challenge), cipher.final()]);
}

function reverseBits(byte: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 8; bit++) reversed |= ((byte >> bit) & 1) << (7 - bit);
  return reversed;
}
