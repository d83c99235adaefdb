// What `observe layer4|layer7` sees in live traffic, and what each event counts as on each layer.

export type Observation =
  | "connected"
  | "not-connected"
  | "http-correct"
  | "http-wrong-status"
  | "http-invalid-head"
  | "http-invalid"
  | "http-read-error"
  | "http-read-timeout"
  | "http-closed";

interface ObservationFacts {
  readonly text: string;
  /** What it counts as for `observe layer4` and `observe layer7`. */
  readonly layer4: "good" | "bad" | null;
  readonly layer7: "good" | "bad" | null;
}

export const OBSERVATIONS: Readonly<Record<Observation, ObservationFacts>> = {
  connected: { text: "L4 successful connection", layer4: "good", layer7: null },
  "not-connected": { text: "L4 unsuccessful connection", layer4: "bad", layer7: "bad" },
  "http-correct": { text: "Correct http response", layer4: null, layer7: "good" },
  "http-wrong-status": { text: "Wrong http response", layer4: null, layer7: "bad" },
  "http-invalid-head": { text: "Invalid http response (headers)", layer4: null, layer7: "bad" },
  "http-invalid": { text: "Invalid http response", layer4: null, layer7: "bad" },
  "http-read-error": { text: "Read error (http)", layer4: null, layer7: "bad" },
  "http-read-timeout": { text: "Read timeout (http)", layer4: null, layer7: "bad" },
  "http-closed": { text: "Close from server (http)", layer4: null, layer7: "bad" },
};
