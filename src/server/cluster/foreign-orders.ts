// Orders that the command line gives here for a member on another host: they go out with each heartbeat until
// that member is heard to obey, or has had time enough to. `seal.ts` signs them.
import type { PeerStatus } from "../../network/cluster/agreement.ts";
import type { MemberSettings } from "../../network/cluster/member-settings.ts";
import { encodeOrder, wishOf } from "../../network/cluster/order.ts";
import { type ForeignOrder, readForeignOrder } from "./member-files.ts";

const PATIENCE_MS = 8000;
/**
 * `drain` and `drainstop` look the same from here, so that an effect is seen proves nothing the first time.
 */
const TIMES_MIN = 3;

export class ForeignOrders {
  readonly #directory: string;
  #order: ForeignOrder | null = null;
  #times = 0;

  /** What was ordered before its start is over. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  readAnew(): void {
    const order = readForeignOrder(this.#directory);
    if (order === null || Date.now() - order.at >= PATIENCE_MS) return;
    this.#order = order;
    this.#times = 0;
  }

  /** Null when there is none, or nobody to hear it. */
  next({ shared, member }: MemberSettings, peers: readonly PeerStatus[]): string | null {
    if (this.#order === null) return null;
    const { to, order, at } = this.#order;
    const peer = peers.find((one) => one.member === to);
    const isOver =
      Date.now() - at >= PATIENCE_MS || (peer?.wish === wishOf(order) && this.#times >= TIMES_MIN);
    if (isOver) this.#order = null;
    if (isOver || peer === undefined) return null;
    this.#times++;
    return encodeOrder({ cluster: shared.cluster, from: member, to, order, answers: peer.sequence });
  }
}
