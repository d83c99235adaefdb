// What a plan is: single changes of single things, each of which can be said in words, done, and done
// backwards. They are data; `driver/` carries them out, many at a time.
import type {
  AddressState,
  LinkState,
  NamespaceName,
  NftTable,
  ProcessState,
  RouteState,
  RoutingRule,
  Sysctl,
} from "../../model/network-state.ts";

export interface Plan {
  /**
   * In the order in which they are done; steps of one stage do not depend on each other across namespaces.
   */
  readonly steps: readonly Step[];
}

export interface Step {
  readonly stage: Stage;
  readonly words: string;
  readonly change: Change;
}

/**
 * What is no longer wanted goes first, so that its names and addresses are free; but bridges go when their
 * ports have moved on, which so lose no frame, and bonds when their cards have.
 */
export const STAGES = [
  "stop",
  "remove",
  "remove-namespaces",
  "add-namespaces",
  "connect",
  "configure",
  "hand-over",
  "follow",
  "remove-bridges",
  "start",
] as const;
export type Stage = (typeof STAGES)[number];

export type Change =
  | { readonly kind: "add-namespace"; readonly namespace: string; readonly words: string }
  | { readonly kind: "delete-namespace"; readonly namespace: string; readonly words: string }
  /** Of a veth both ends are made. */
  | { readonly kind: "add-link"; readonly namespace: NamespaceName; readonly link: LinkState }
  | { readonly kind: "delete-link"; readonly namespace: NamespaceName; readonly link: LinkState }
  /** `before`: as it is; null: just made. */
  | {
      readonly kind: "set-link";
      readonly namespace: NamespaceName;
      readonly link: LinkState;
      readonly before: LinkState | null;
      /** Why it has to be, where that is not plain. */
      readonly reason?: string;
    }
  /** Until a bond carries frames by the card that it has: LACP takes seconds. */
  | { readonly kind: "await-bond"; readonly namespace: NamespaceName; readonly link: LinkState }
  /** A port that has come to a bridge shall pass nothing on yet. */
  | { readonly kind: "hold-port"; readonly namespace: NamespaceName; readonly link: LinkState }
  /** One port of a bridge stops, and at once the other that was held passes on in its place. */
  | {
      readonly kind: "swap-ports";
      readonly namespace: NamespaceName;
      readonly link: LinkState;
      readonly from: LinkState;
    }
  | { readonly kind: "add-address"; readonly namespace: NamespaceName; readonly address: AddressState }
  | { readonly kind: "delete-address"; readonly namespace: NamespaceName; readonly address: AddressState }
  /** Replaces one to the same destination in the same table. */
  | { readonly kind: "add-route"; readonly namespace: NamespaceName; readonly route: RouteState }
  | { readonly kind: "delete-route"; readonly namespace: NamespaceName; readonly route: RouteState }
  | { readonly kind: "add-rule"; readonly namespace: NamespaceName; readonly rule: RoutingRule }
  | { readonly kind: "delete-rule"; readonly namespace: NamespaceName; readonly rule: RoutingRule }
  | { readonly kind: "set-sysctl"; readonly namespace: NamespaceName; readonly sysctl: Sysctl }
  | { readonly kind: "put-table"; readonly namespace: NamespaceName; readonly table: NftTable }
  | { readonly kind: "delete-table"; readonly namespace: NamespaceName; readonly table: NftTable }
  | { readonly kind: "start-process"; readonly process: ProcessState }
  | { readonly kind: "stop-process"; readonly process: ProcessState }
  | { readonly kind: "reload-process"; readonly process: ProcessState };
