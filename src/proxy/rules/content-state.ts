// Whether the evaluation under way lacked data that may still come. Fetches on content tell it here, and
// tcp content rules ask: a condition that did not match although data was missing is "not yet", never "no"
// (HAProxy's MISS). Evaluation is synchronous, so one flag for the process is enough; whoever asks clears
// it first.
import type { Stream } from "../stream.ts";

let isLacking = false;

/** To be called by a fetch whose result may change with more content. */
export function noteChangeable(stream: Stream): void {
  if (!stream.isContentFinal) isLacking = true;
}

export function clearLacking(): void {
  isLacking = false;
}

export function wasLacking(): boolean {
  return isLacking;
}
