// Reads certificates, keys and revocation lists from PEM text into OpenSSL's objects. The caller frees what
// it gets.
import { failed, failure, type Result, success } from "../../base/failure.ts";
import type { OpenSsl } from "./library.ts";

export function readCertificates(openSsl: OpenSsl, pem: string, what: string): Result<bigint[]> {
  const { calls } = openSsl;
  return readAll(openSsl, pem, `${what} holds no certificate in PEM form`, (bio) =>
    calls.PEM_read_bio_X509(bio, 0n, 0n, 0n),
  );
}

export function readRevocationLists(openSsl: OpenSsl, pem: string, what: string): Result<bigint[]> {
  const { calls } = openSsl;
  const read = (bio: bigint): bigint => calls.PEM_read_bio_X509_CRL(bio, 0n, 0n, 0n);
  return readAll(openSsl, pem, `${what} holds no revocation list in PEM form`, read);
}

/** An encrypted key is refused: without a password at hand OpenSSL would ask the terminal for one. */
export function readPrivateKey(openSsl: OpenSsl, pem: string, what: string): Result<bigint> {
  const { calls } = openSsl;
  // The empty text behind the PEM is the password.
  const { pointer, length } = openSsl.text(`${pem}\0`);
  const bio = calls.BIO_new_mem_buf(pointer, length - 1);
  const key = calls.PEM_read_bio_PrivateKey(bio, 0n, 0n, pointer + BigInt(length));
  calls.BIO_free(bio);
  if (key !== 0n) return success(key);
  const reason = openSsl.takeError();
  const encrypted = /ENCRYPTED/.test(pem) ? ": it is encrypted" : ` (${reason})`;
  return failed(failure("tls", "proxy", `${what} holds no private key that can be used${encrypted}`));
}

/** Of Diffie-Hellman; 0n when there are none. */
export function readParameters(openSsl: OpenSsl, pem: string): bigint {
  const { calls } = openSsl;
  const { pointer, length } = openSsl.text(pem);
  const bio = calls.BIO_new_mem_buf(pointer, length);
  const parameters = calls.PEM_read_bio_Parameters(bio, 0n);
  calls.BIO_free(bio);
  return parameters;
}

function readAll(
  openSsl: OpenSsl,
  pem: string,
  complaint: string,
  read: (bio: bigint) => bigint,
): Result<bigint[]> {
  const { calls } = openSsl;
  const { pointer, length } = openSsl.text(pem);
  const bio = calls.BIO_new_mem_buf(pointer, length);
  const objects: bigint[] = [];
  for (let object = read(bio); object !== 0n; object = read(bio)) objects.push(object);
  calls.BIO_free(bio);
  // The end of the text is an error to OpenSSL as well.
  calls.ERR_clear_error();
  return objects.length > 0 ? success(objects) : failed(failure("tls", "proxy", complaint));
}
