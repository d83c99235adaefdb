// The contract between who reads what kernels have in their network namespaces, and who can go into one
// without a process: engines that call foreign functions.

/**
 * The payloads of all messages of an answer, behind their headers; the number of the error when the kernel
 * refuses (errno(3)). `wanted`: all that there is of a kind, one answer, or that something is made or
 * changed, which is answered by nothing.
 */
export type AskKernel = (
  /** NETLINK_ROUTE, NETLINK_NETFILTER. */
  protocol: number,
  type: number,
  wanted: "everything" | "one" | "new" | "changed" | "replaced",
  body: Uint8Array,
) => Uint8Array[] | number;

export interface NamespaceDoor {
  /**
   * What `work` returns, called inside of the namespace that the file stands for; null: nobody gets in.
   * `work` waits for nothing: the whole thread is in there, with whatever else it would do.
   */
  within<T>(path: string, work: (ask: AskKernel) => T): T | null;
  /** The same in a namespace that is made for it and gone afterwards. */
  withinNew<T>(work: (ask: AskKernel) => T): T | null;
}
