// The settings with which a connection begins: what we want to be otherwise than HTTP/2 has it by itself.
import type { GlobalSettings } from "../../model/global-settings.ts";
import {
  DEFAULT_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  SETTING,
  settingsFrame,
} from "../../protocol/http2/frames.ts";

/** So large a list of fields is decoded; the exchange refuses what does not fit a buffer. */
export const LIST_BYTES_MAX: number = 64 * 1024;
const DEFAULT_TABLE_BYTES = 4096;

export function greeting(http2: GlobalSettings["http2"]): Uint8Array {
  const settings: [number, number][] = [[SETTING.maxConcurrentStreams, http2.concurrentStreamsMax]];
  if (http2.headerTableBytes !== DEFAULT_TABLE_BYTES)
    settings.push([SETTING.headerTableSize, http2.headerTableBytes]);
  if (http2.initialWindowBytes !== DEFAULT_WINDOW_BYTES)
    settings.push([SETTING.initialWindowSize, http2.initialWindowBytes]);
  if (http2.frameBytesMax !== DEFAULT_FRAME_BYTES) settings.push([SETTING.maxFrameSize, http2.frameBytesMax]);
  settings.push([SETTING.maxHeaderListSize, LIST_BYTES_MAX]);
  return settingsFrame(settings);
}
