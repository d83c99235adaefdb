// What the client says of the connection and its streams beside requests: settings, windows, pings, resets.
// Each of these frames costs it something, as none of them gets anything done (flood-guard.ts).
import {
  DEFAULT_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  ERROR,
  FLAG,
  FRAME,
  pingAckFrame,
  readUint32,
  SETTING,
  settingsAckFrame,
  WINDOW_BYTES_MAX,
} from "../../protocol/http2/frames.ts";
import { COUNTER } from "../state.ts";
import { COST } from "./flood-guard.ts";
import type { FrameOutput } from "./frame-output.ts";
import type { Http2Client } from "./http2-client.ts";

const STREAM_ID_MASK = 0x7fff_ffff;
/** Bytes of settings that cost as much as a frame. */
const SETTINGS_BYTES_PER_COST = 60;

export class ControlFrames {
  /** The client has said its own, which come before everything else (RFC 9113 section 3.4). */
  hasSettings = false;
  /** Of streams that begin now. */
  initialSendWindow: number = DEFAULT_WINDOW_BYTES;
  readonly #client: Http2Client;
  readonly #output: FrameOutput;

  constructor(client: Http2Client, output: FrameOutput) {
    this.#client = client;
    this.#output = output;
  }

  /** As `FrameSink.receiveControl`. */
  receive(
    type: number,
    flags: number,
    streamId: number,
    payload: Uint8Array,
    start: number,
    end: number,
  ): number {
    const length = end - start;
    if (type !== FRAME.settings && !this.hasSettings) return ERROR.protocol;
    switch (type) {
      case FRAME.settings:
        return this.#receiveSettings(flags, streamId, payload, start, end);
      case FRAME.ping:
        if (streamId !== 0) return ERROR.protocol;
        if (length !== 8) return ERROR.frameSize;
        if ((flags & FLAG.ack) === 0) this.#output.write(pingAckFrame(payload.subarray(start, end)));
        return this.#client.charge(COST.frame);
      case FRAME.priority:
        return this.#receivePriority(streamId, payload, start, length);
      case FRAME.rstStream:
        if (length !== 4) return ERROR.frameSize;
        if (this.#client.streams.isIdle(streamId)) return ERROR.protocol;
        this.#client.count(COUNTER.h2Resets);
        return this.#client.receiveReset(streamId);
      case FRAME.goaway:
        this.#client.count(COUNTER.h2Goaways);
        if (streamId !== 0) return ERROR.protocol;
        return length < 8 ? ERROR.frameSize : this.#client.charge(COST.frame);
      case FRAME.windowUpdate:
        if (length !== 4) return ERROR.frameSize;
        return this.#receiveWindowUpdate(streamId, readUint32(payload, start) & STREAM_ID_MASK);
      default:
        return 0;
    }
  }

  #receivePriority(streamId: number, payload: Uint8Array, start: number, length: number): number {
    if (streamId === 0) return ERROR.protocol;
    if (length !== 5) return this.#client.breakOffId(streamId, ERROR.frameSize);
    if ((readUint32(payload, start) & STREAM_ID_MASK) === streamId)
      return this.#client.breakOffId(streamId, ERROR.protocol);
    return this.#client.charge(COST.frame);
  }

  #receiveSettings(flags: number, streamId: number, payload: Uint8Array, start: number, end: number): number {
    if (streamId !== 0) return ERROR.protocol;
    this.#client.count(COUNTER.h2Settings);
    if ((flags & FLAG.ack) !== 0) {
      if (!this.hasSettings) return ERROR.protocol;
      return end === start ? this.#client.charge(COST.frame) : ERROR.frameSize;
    }
    if ((end - start) % 6 !== 0) return ERROR.frameSize;
    for (let at = start; at < end; at += 6) {
      const error = this.#set((payload[at]! << 8) | payload[at + 1]!, readUint32(payload, at + 2));
      if (error !== 0) return error;
    }
    this.hasSettings = true;
    this.#output.write(settingsAckFrame());
    return this.#client.charge(COST.frame + Math.floor((end - start) / SETTINGS_BYTES_PER_COST));
  }

  #set(setting: number, value: number): number {
    switch (setting) {
      case SETTING.headerTableSize:
        this.#client.frames.encoder.limitTable(value);
        return 0;
      case SETTING.enablePush:
        return value > 1 ? ERROR.protocol : 0;
      case SETTING.initialWindowSize:
        return this.#moveWindows(value);
      case SETTING.maxFrameSize:
        // Small frames suffice, and let streams take turns.
        return value < DEFAULT_FRAME_BYTES || value > 0xff_ffff ? ERROR.protocol : 0;
      default:
        return 0;
    }
  }

  /** It holds for the streams that there are, too (section 6.9.2). */
  #moveWindows(initialWindow: number): number {
    if (initialWindow > WINDOW_BYTES_MAX) return ERROR.flowControl;
    const difference = initialWindow - this.initialSendWindow;
    this.initialSendWindow = initialWindow;
    for (const stream of this.#client.streams.open()) {
      stream.sendWindow += difference;
      if (stream.sendWindow > WINDOW_BYTES_MAX) return ERROR.flowControl;
      this.#client.wantTurn(stream);
    }
    return 0;
  }

  #receiveWindowUpdate(streamId: number, increment: number): number {
    const { streams, frames } = this.#client;
    if (streamId === 0) {
      if (increment === 0) return ERROR.protocol;
      frames.sendWindow += increment;
      if (frames.sendWindow > WINDOW_BYTES_MAX) return ERROR.flowControl;
      for (const stream of streams.open()) if (stream.output.waitingBytes > 0) this.#client.wantTurn(stream);
      return this.#client.charge(COST.frame);
    }
    if (streams.isIdle(streamId)) return ERROR.protocol;
    const stream = streams.get(streamId);
    if (stream === undefined) return this.#client.charge(COST.frame);
    if (increment === 0) return this.#client.breakOff(stream, ERROR.protocol);
    stream.sendWindow += increment;
    if (stream.sendWindow > WINDOW_BYTES_MAX) return this.#client.breakOff(stream, ERROR.flowControl);
    this.#client.wantTurn(stream);
    return this.#client.charge(COST.frame);
  }
}
