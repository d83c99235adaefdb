// A switch while its ports are being collected.
import { nodeIdOf } from "../device/recorder.ts";
import type { BridgeLag, BridgePort, BridgeSpec } from "./topology.ts";

export class BridgeDraft {
  readonly kind: "switch" | "fabric";
  readonly name: string;
  readonly mtu: number;
  readonly id: string;
  readonly #ports = new Map<string, BridgePort>();
  readonly #lags = new Map<string, BridgeLag>();

  constructor(kind: "switch" | "fabric", name: string, mtu: number) {
    this.kind = kind;
    this.name = name;
    this.mtu = mtu;
    this.id = nodeIdOf({ kind, name });
  }

  add(port: BridgePort): void {
    this.#ports.set(port.name, port);
  }

  addLag(lag: BridgeLag): void {
    this.#lags.set(lag.name, lag);
  }

  finish(): BridgeSpec {
    const accessPorts = new Map<number, BridgePort[]>();
    const otherPorts: BridgePort[] = [];
    for (const port of this.#ports.values()) {
      if (port.role.kind !== "access") otherPorts.push(port);
      else {
        const list = accessPorts.get(port.role.vlan);
        if (list === undefined) accessPorts.set(port.role.vlan, [port]);
        else list.push(port);
      }
    }
    const { kind, name, mtu } = this;
    return { kind, name, mtu, ports: this.#ports, lags: this.#lags, accessPorts, otherPorts };
  }
}
