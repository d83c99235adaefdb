// Tells systemd how a service is doing (sd_notify(3)): one datagram to the socket that $NOTIFY_SOCKET
// names. Node has no datagram sockets in the unix domain, so this goes through the C library.
import { type Failure, failed, failure, type Result, success } from "../base/failure.ts";
import { errnoFailure } from "./errno.ts";
import { openNative } from "./native.ts";
import { AF_UNIX, encodeUnixSockaddr } from "./socket-address.ts";

const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0x800 | 0x80000;
const MSG_NOSIGNAL = 0x4000;
/** Where in the scratch page the text begins, behind the address. */
const TEXT_AT = 256;
const TEXT_BYTES_MAX = 2048;

/** Sends the lines (`READY=1`) to the socket at a path, or at an abstract name that begins with "@". */
export function notifyService(socketPath: string, lines: readonly string[]): Result<void, Failure> {
  const native = openNative();
  if (!native.ok) return native;
  const { libc, scratch, scratchBytes, errno } = native.value;
  const what = `notify ${socketPath}`;
  const text = Buffer.from(lines.join("\n"));
  const isAbstract = socketPath.startsWith("@");
  const addressLength = encodeUnixSockaddr(
    scratchBytes,
    0,
    isAbstract ? socketPath.slice(1) : socketPath,
    isAbstract,
  );
  if (addressLength === 0 || text.length > TEXT_BYTES_MAX)
    return failed(failure("unsupported", "proxy", `${what}: the socket's name or the text is too long`));
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) return failed(errnoFailure(errno(), "proxy", what));
  try {
    if (libc.connect(fd, scratch.pointer, addressLength) !== 0)
      return failed(errnoFailure(errno(), "proxy", what));
    scratchBytes.set(text, TEXT_AT);
    const sent = libc.send(fd, scratch.pointer + BigInt(TEXT_AT), BigInt(text.length), MSG_NOSIGNAL);
    return Number(sent) === text.length ? success(undefined) : failed(errnoFailure(errno(), "proxy", what));
  } finally {
    libc.close(fd);
  }
}
