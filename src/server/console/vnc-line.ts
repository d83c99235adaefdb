// A screen: one connection to the VNC server for each viewer. We log in there, the viewer is let in without,
// and from then on messages are passed on, those of the viewer through the filter. Who is slow slows the
// reading from his own connection down, and nobody else's.
import type { Socket } from "node:net";
import { ClientMessageFilter } from "../../protocol/rfb/client-messages.ts";
import { RfbServerLogin, RfbViewerLogin } from "../../protocol/rfb/handshake.ts";
import { type ConsoleBackendOptions, connectBackend, readBackendPassword } from "./backend.ts";
import type { ConsoleLine, Viewer } from "./viewer.ts";

const EARLY_BYTES_MAX = 64 * 1024;
/** A server that takes a connection and then says nothing is as good as none. */
const LOGIN_TIMEOUT_MS = 10_000;

/** Ends the viewer when the screen cannot be reached. */
export function openVncLine(viewer: Viewer, backend: ConsoleBackendOptions): void {
  const line = new VncLine(viewer);
  viewer.begin(line);
  void line.open(backend);
}

class VncLine implements ConsoleLine {
  readonly #viewer: Viewer;
  readonly #filter: ClientMessageFilter;
  readonly #viewerLogin = new RfbViewerLogin();
  #server: Socket | null = null;
  #hasLoggedIn = false;
  #isOpen = false;
  /** What the server has said before the viewer was ready to hear it: its ServerInit, mostly. */
  #early: Buffer = Buffer.alloc(0);
  #isClosed = false;
  #loginEnd: NodeJS.Timeout | null = null;

  constructor(viewer: Viewer) {
    this.#viewer = viewer;
    this.#filter = new ClientMessageFilter(viewer.claims.isViewOnly);
  }

  async open(backend: ConsoleBackendOptions): Promise<void> {
    try {
      const login = new RfbServerLogin(readBackendPassword(backend));
      const server = await connectBackend(backend);
      if (this.#isClosed) return void server.destroy();
      this.#server = server;
      // One that has said all it will may still wait to hear more; nobody sees it any more.
      for (const event of ["end", "close"]) server.on(event, () => this.#viewer.end("the console closed"));
      this.#loginEnd = setTimeout(
        () => this.#viewer.end("the console cannot be reached", "no login in 10 seconds"),
        LOGIN_TIMEOUT_MS,
      );
      server.on("drain", () => this.#viewer.resumeReading());
      server.on("data", (bytes: Buffer) => this.#receiveFromServer(bytes, login));
    } catch (error) {
      this.#viewer.end("the console cannot be reached", (error as Error).message);
    }
  }

  receive(bytes: Buffer): void {
    if (this.#isOpen) this.#passOn(bytes);
    // Nobody has said anything to him yet, so there is nothing to answer.
    else if (!this.#hasLoggedIn) this.#viewer.end("protocol error", "the viewer spoke first");
    else {
      this.#viewerLogin.receive(bytes);
      const { state } = this.#viewerLogin;
      if (state.kind === "failed") this.#viewer.end("protocol error", state.message);
      else this.#goOn();
    }
  }

  handleDrain(): void {
    this.#server?.resume();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#loginEnd !== null) clearTimeout(this.#loginEnd);
    this.#server?.destroy();
  }

  #receiveFromServer(bytes: Buffer, login: RfbServerLogin): void {
    if (this.#isOpen) this.#show(bytes);
    else if (this.#hasLoggedIn) {
      this.#early = Buffer.concat([this.#early, bytes]);
      if (this.#early.length > EARLY_BYTES_MAX) this.#server?.pause();
    } else this.#logIn(bytes, login);
  }

  #logIn(bytes: Buffer, login: RfbServerLogin): void {
    login.receive(bytes);
    this.#server?.write(login.takeOutput());
    if (login.state.kind === "failed") this.#viewer.end("the console cannot be reached", login.state.message);
    if (login.state.kind !== "done") return;
    this.#hasLoggedIn = true;
    if (this.#loginEnd !== null) clearTimeout(this.#loginEnd);
    this.#early = login.state.rest;
    this.#goOn();
  }

  #goOn(): void {
    const output = this.#viewerLogin.takeOutput();
    if (output.length > 0) this.#viewer.send(output);
    const { state } = this.#viewerLogin;
    if (state.kind !== "done") return;
    this.#isOpen = true;
    this.#server?.resume();
    if (this.#early.length > 0) this.#show(this.#early);
    this.#early = Buffer.alloc(0);
    if (state.rest.length > 0) this.#passOn(state.rest);
  }

  #show(bytes: Buffer): void {
    if (!this.#viewer.send(bytes)) this.#server?.pause();
  }

  #passOn(bytes: Buffer): void {
    const messages = this.#filter.receive(bytes);
    if (messages === null) {
      this.#viewer.end("protocol error", "the viewer sent an unknown message");
      return;
    }
    if (messages.hasInput) this.#viewer.noteInput();
    if (messages.forward.length > 0 && this.#server?.write(messages.forward) === false)
      this.#viewer.pauseReading();
  }
}
