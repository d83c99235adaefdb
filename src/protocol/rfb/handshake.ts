// Both handshakes of RFB (RFC 6143, section 7.1) that a console proxy has: as a client of the VNC server,
// whose password the viewer never gets, and as a server of the viewer, who has shown a ticket and needs no
// other password. Both end before ClientInit has been answered; from there on the messages are passed on.
import { answerChallenge, CHALLENGE_BYTES } from "./challenge.ts";

const SECURITY_NONE = 1;
const SECURITY_VNC = 2;
const VERSION_BYTES = 12;
const REASON_BYTES_MAX = 1024;
/** Of a handshake that waits for the rest of a field. */
const PENDING_BYTES_MAX = 4096;

/** Where a handshake has got to. `rest`: bytes behind its end. */
export type HandshakeState =
  | { readonly kind: "going on" }
  | { readonly kind: "done"; readonly rest: Buffer }
  | { readonly kind: "failed"; readonly message: string };

/** What a step of a handshake made of the bytes: how many it took and what is next. Null: more are needed. */
type Step = (bytes: Buffer) => { readonly taken: number; readonly next: Step | null } | null;

abstract class Handshake {
  state: HandshakeState = { kind: "going on" };
  #step: Step | null = null;
  #pending: Buffer = Buffer.alloc(0);
  #output: Buffer[] = [];

  protected begin(step: Step): void {
    this.#step = step;
  }

  receive(bytes: Uint8Array): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    while (this.state.kind === "going on" && this.#step !== null) {
      const outcome = this.#step(this.#pending);
      if (outcome === null) break;
      this.#pending = this.#pending.subarray(outcome.taken);
      this.#step = outcome.next;
      if (outcome.next === null && this.#isGoingOn()) this.state = { kind: "done", rest: this.#pending };
    }
    if (this.#isGoingOn() && this.#pending.length > PENDING_BYTES_MAX)
      this.fail("it says more than RFB has to say");
  }

  /** What is to be sent to the other side. */
  takeOutput(): Buffer {
    const output = Buffer.concat(this.#output);
    this.#output = [];
    return output;
  }

  protected send(bytes: Uint8Array): void {
    this.#output.push(Buffer.from(bytes));
  }

  protected fail(message: string): { readonly taken: 0; readonly next: null } {
    this.state = { kind: "failed", message };
    return { taken: 0, next: null };
  }

  #isGoingOn(): boolean {
    return this.state.kind === "going on";
  }
}

/** We are the client of a VNC server. Done when ClientInit, for a shared screen, has been sent. */
export class RfbServerLogin extends Handshake {
  readonly #password: string | null;
  #minor = 8;

  /** `password` null: the server must not ask for one. */
  constructor(password: string | null) {
    super();
    this.#password = password;
    this.begin((bytes) => this.#readVersion(bytes));
  }

  #readVersion(bytes: Buffer): ReturnType<Step> {
    if (bytes.length < VERSION_BYTES) return null;
    const minor = readMinor(bytes);
    if (minor === null) return this.fail("it does not speak RFB 3");
    this.#minor = minor;
    this.send(versionLine(minor));
    return { taken: VERSION_BYTES, next: minor === 3 ? this.#readDecision : this.#readTypes };
  }

  /** 3.3: the server decides (section 7.1.2). */
  readonly #readDecision: Step = (bytes) => {
    if (bytes.length < 4) return null;
    const type = bytes.readUInt32BE(0);
    return type === 0 ? this.#refused(4) : this.#chosen(type, 4);
  };

  readonly #readTypes: Step = (bytes) => {
    const count = bytes[0];
    if (count === undefined || bytes.length < 1 + count) return null;
    if (count === 0) return this.#refused(1);
    const types = [...bytes.subarray(1, 1 + count)];
    const type = [this.#password === null ? SECURITY_NONE : SECURITY_VNC, SECURITY_NONE].find((one) =>
      types.includes(one),
    );
    if (type === undefined)
      return this.fail(
        types.includes(SECURITY_VNC)
          ? "it wants a password, and none was given"
          : `it offers the security types ${types.join(", ")} only`,
      );
    this.send(Buffer.of(type));
    return this.#chosen(type, 1 + count);
  };

  #chosen(type: number, taken: number): ReturnType<Step> {
    if (type === SECURITY_VNC && this.#password !== null) return { taken, next: this.#readChallenge };
    if (type === SECURITY_VNC) return this.fail("it wants a password, and none was given");
    if (type !== SECURITY_NONE) return this.fail(`it wants the security type ${type}`);
    // Only 3.8 says the result of no check at all (section 7.2.1).
    return this.#minor === 8 ? { taken, next: this.#readResult } : this.#finish(taken);
  }

  readonly #readChallenge: Step = (bytes) => {
    if (bytes.length < CHALLENGE_BYTES) return null;
    this.send(answerChallenge(bytes.subarray(0, CHALLENGE_BYTES), this.#password ?? ""));
    return { taken: CHALLENGE_BYTES, next: this.#readResult };
  };

  readonly #readResult: Step = (bytes) => {
    if (bytes.length < 4) return null;
    if (bytes.readUInt32BE(0) === 0) return this.#finish(4);
    return this.#minor === 8 ? this.#refused(4) : this.fail("it does not take the password");
  };

  #finish(taken: number): ReturnType<Step> {
    this.send(Buffer.of(1));
    return { taken, next: null };
  }

  #refused(taken: number): ReturnType<Step> {
    return {
      taken,
      next: (bytes) => {
        if (bytes.length < 4) return null;
        const length = Math.min(bytes.readUInt32BE(0), REASON_BYTES_MAX);
        if (bytes.length < 4 + length) return null;
        return this.fail(`it refuses: ${JSON.stringify(bytes.toString("latin1", 4, 4 + length))}`);
      },
    };
  }
}

/** We are the server of a viewer. Done when his ClientInit has come. */
export class RfbViewerLogin extends Handshake {
  constructor() {
    super();
    this.send(versionLine(8));
    this.begin((bytes) => {
      if (bytes.length < VERSION_BYTES) return null;
      const minor = readMinor(bytes);
      if (minor === null) return this.fail("the viewer does not speak RFB 3");
      this.send(minor === 3 ? Buffer.of(0, 0, 0, SECURITY_NONE) : Buffer.of(1, SECURITY_NONE));
      return { taken: VERSION_BYTES, next: minor === 3 ? readClientInit : this.#readChoice(minor) };
    });
  }

  #readChoice(minor: number): Step {
    return (bytes) => {
      if (bytes.length < 1) return null;
      if (bytes[0] !== SECURITY_NONE)
        return this.fail("the viewer chose a security type that was not offered");
      if (minor === 8) this.send(Buffer.alloc(4));
      return { taken: 1, next: readClientInit };
    };
  }
}

const readClientInit: Step = (bytes) => (bytes.length < 1 ? null : { taken: 1, next: null });

function versionLine(minor: number): Buffer {
  return Buffer.from(`RFB 003.00${minor}\n`, "latin1");
}

/** 3, 7 or 8; null for what is not RFB 3. Other numbers count as 3.3 (section 7.1.1), later ones as 3.8. */
function readMinor(bytes: Buffer): 3 | 7 | 8 | null {
  const match = /^RFB (\d{3})\.(\d{3})\n$/.exec(bytes.toString("latin1", 0, VERSION_BYTES));
  if (match === null || Number(match[1]) < 3) return null;
  const minor = Number(match[1]) > 3 ? 8 : Number(match[2]);
  return minor >= 8 ? 8 : minor === 7 ? 7 : 3;
}
