// Bindings to the C library and the kernel through node:ffi, shared by the io_uring engine, OpenSSL and the
// shared memory. It opens the library once per process and says in one sentence why when it cannot. Nothing
// here is ever unmapped while JavaScript may hold a view of it: a view of unmapped memory is a crash, not an
// exception.
import { type Failure, failed, failure, type Result, success } from "../base/failure.ts";

type Ffi = typeof import("node:ffi");

// Numbers of the generic system call table, which all 64-bit architectures since 2019 share.
export const SYSCALL_IO_URING_SETUP = 425;
export const SYSCALL_IO_URING_ENTER = 426;
export const SYSCALL_IO_URING_REGISTER = 427;

const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_POPULATE = 0x8000;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

// Argument counts matter: 3 cost about 50 ns, 4 to 6 about 200 ns, so the calls of the hot path take 3 or
// fewer.
const LIBC = {
  mmap: { return: "u64", arguments: ["u64", "u64", "i32", "i32", "i32", "i64"] },
  munmap: { return: "i32", arguments: ["pointer", "u64"] },
  socket: { return: "i32", arguments: ["i32", "i32", "i32"] },
  bind: { return: "i32", arguments: ["i32", "pointer", "u32"] },
  listen: { return: "i32", arguments: ["i32", "i32"] },
  connect: { return: "i32", arguments: ["i32", "pointer", "u32"] },
  accept4: { return: "i32", arguments: ["i32", "pointer", "pointer", "i32"] },
  getsockname: { return: "i32", arguments: ["i32", "pointer", "pointer"] },
  getpeername: { return: "i32", arguments: ["i32", "pointer", "pointer"] },
  setsockopt: { return: "i32", arguments: ["i32", "i32", "i32", "pointer", "u32"] },
  getsockopt: { return: "i32", arguments: ["i32", "i32", "i32", "pointer", "pointer"] },
  close: { return: "i32", arguments: ["i32"] },
  fcntl: { return: "i32", arguments: ["i32", "i32", "i64"] },
  send: { return: "i64", arguments: ["i32", "pointer", "u64", "i32"] },
  sendmmsg: { return: "i32", arguments: ["i32", "pointer", "u32", "i32"] },
  sendmsg: { return: "i64", arguments: ["i32", "pointer", "i32"] },
  recv: { return: "i64", arguments: ["i32", "pointer", "u64", "i32"] },
  __errno_location: { return: "pointer", arguments: [] },
} as const;

// `syscall` in the shapes that io_uring's three calls have; a library handle knows one shape of a symbol.
const SETUP = { return: "i32", arguments: ["i32", "u32", "pointer"] } as const;
const ENTER = { return: "i32", arguments: ["i32", "u32", "u32", "u32", "u32", "pointer", "u64"] } as const;
const REGISTER = { return: "i32", arguments: ["i32", "u32", "u32", "pointer", "u32"] } as const;

export type Libc = Bound<typeof LIBC> & {
  readonly ringSetup: Bound<{ syscall: typeof SETUP }>["syscall"];
  readonly ringEnter: Bound<{ syscall: typeof ENTER }>["syscall"];
  readonly ringRegister: Bound<{ syscall: typeof REGISTER }>["syscall"];
};

/** A region of native memory that lives as long as the process. */
export interface Mapping {
  readonly pointer: bigint;
  /**
   * The same as a number: user space addresses have at most 48 bits (57 with five-level paging are opt-in).
   */
  readonly address: number;
  readonly buffer: ArrayBuffer;
}

export interface Native {
  readonly ffi: Ffi;
  readonly libc: Libc;
  /** A page for arguments and results of calls that do not outlive the call. */
  readonly scratch: Mapping;
  readonly scratchBytes: Uint8Array;
  readonly scratchInts: Int32Array;
  /** The error number of the last failed call on this thread. */
  errno(): number;
  /** Zeroed private memory. Throws when the machine has none left. */
  map(byteLength: number): Mapping;
  /** Maps a file or a ring, MAP_SHARED; null (see errno) when the kernel refuses. */
  mapShared(fd: number, byteLength: number, offset: number, populate: boolean): Mapping | null;
  unmap(mapping: Mapping): void;
}

let opened: Result<Native> | null = null;

/**
 * The bindings, made at the first call. Fails where there is no node:ffi, or where the C library is not
 * Linux's.
 */
export function openNative(): Result<Native> {
  opened ??= bindNative();
  return opened;
}

/** Loads node:ffi without an import, which would be an error at load time where FFI is switched off. */
export function loadFfi(): Result<Ffi> {
  try {
    const ffi = process.getBuiltinModule("node:ffi") as Ffi | undefined;
    if (ffi !== undefined) return success(ffi);
  } catch {
    // Node refuses the module under its permission model.
  }
  return failed(unsupported("node:ffi is not available: start Node with --experimental-ffi"));
}

function unsupported(message: string): Failure {
  return failure("unsupported", "proxy", message);
}

type Bound<T extends import("node:ffi").FunctionDefinitions> =
  import("node:ffi").WrappedFunctionsFromDefinitions<T>;

function bindLibc(ffi: Ffi): Libc {
  const libc = ffi.dlopen(null, LIBC).functions;
  const ringSetup = ffi.dlopen(null, { syscall: SETUP }).functions.syscall;
  const ringEnter = ffi.dlopen(null, { syscall: ENTER }).functions.syscall;
  const ringRegister = ffi.dlopen(null, { syscall: REGISTER }).functions.syscall;
  return Object.assign(libc, { ringSetup, ringEnter, ringRegister });
}

function bindNative(): Result<Native> {
  if (process.platform !== "linux")
    return failed(unsupported(`io_uring does not exist on ${process.platform}`));
  const loaded = loadFfi();
  if (!loaded.ok) return loaded;
  const ffi = loaded.value;
  let libc: Libc;
  try {
    libc = bindLibc(ffi);
  } catch (error) {
    return failed(
      unsupported(`the C library cannot be reached through node:ffi (${(error as Error).message})`),
    );
  }
  const errnoView = new Int32Array(ffi.toArrayBuffer(libc.__errno_location(), 4, false));
  const view = (pointer: bigint, byteLength: number): Mapping => ({
    pointer,
    address: Number(pointer),
    buffer: ffi.toArrayBuffer(pointer, byteLength, false),
  });
  const map = (byteLength: number): Mapping => {
    const pointer = libc.mmap(0n, BigInt(byteLength), PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0n);
    if (pointer === MAP_FAILED) throw new Error(`out of memory: mmap of ${byteLength} bytes failed`);
    return view(pointer, byteLength);
  };
  const scratch = map(4096);
  return success({
    ffi,
    libc,
    scratch,
    scratchBytes: new Uint8Array(scratch.buffer),
    scratchInts: new Int32Array(scratch.buffer),
    errno: () => errnoView[0]!,
    map,
    mapShared(fd, byteLength, offset, populate) {
      const flags = populate ? MAP_SHARED | MAP_POPULATE : MAP_SHARED;
      const pointer = libc.mmap(0n, BigInt(byteLength), PROT_READ_WRITE, flags, fd, BigInt(offset));
      return pointer === MAP_FAILED ? null : view(pointer, byteLength);
    },
    unmap(mapping) {
      libc.munmap(mapping.pointer, BigInt(mapping.buffer.byteLength));
    },
  });
}
