// Linux capabilities across a change of user, which Node has no calls for. Only the calling thread keeps any.
import { failed, failure, type Result, success } from "../base/failure.ts";
import { openNative } from "./native.ts";

const PR_SET_KEEPCAPS = 8;
/** _LINUX_CAPABILITY_VERSION_3: two sets of 32 capabilities. */
const VERSION_3 = 0x20080522;
const CAP_NET_BIND_SERVICE = 1 << 10;
/** Two sets of effective, permitted, inheritable. */
const DATA_BYTES = 24;

/**
 * Runs `change`, which gives up root, so that ports below 1024 can still be bound afterwards; every other
 * capability is gone. Without node:ffi nothing is kept. Fails when the kernel refuses: then too much may
 * have been kept, and the process must end. What `change` throws is passed on.
 */
export function changeUserKeepingLowPorts(change: () => void): Result<void> {
  const native = openNative();
  if (!native.ok) {
    change();
    return success(undefined);
  }
  const { functions } = native.value.ffi.dlopen(null, {
    prctl: { return: "i32", arguments: ["i32", "u64", "u64", "u64", "u64"] },
    capset: { return: "i32", arguments: ["pointer", "pointer"] },
  });
  if (functions.prctl(PR_SET_KEEPCAPS, 1n, 0n, 0n, 0n) !== 0)
    return failed(
      failure("permission", "proxy", `cannot keep the right to low ports: errno ${native.value.errno()}`),
    );
  change();
  const header = new Uint32Array([VERSION_3, 0]);
  const data = new Uint32Array(DATA_BYTES / 4);
  data[0] = CAP_NET_BIND_SERVICE;
  data[1] = CAP_NET_BIND_SERVICE;
  if (functions.capset(Buffer.from(header.buffer), Buffer.from(data.buffer)) === 0) return success(undefined);
  return failed(failure("permission", "proxy", `cannot give up capabilities: errno ${native.value.errno()}`));
}
