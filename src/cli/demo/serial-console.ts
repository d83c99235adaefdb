// The serial line of one of the demo's web servers: a few commands, as one finds them on machines that have
// lost their network. A unix socket, as QEMU's serial lines have.
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { DemoWebServer } from "./web-server.ts";

const OUT_SECONDS_DEFAULT = 20;
const OUT_SECONDS_MAX = 300;
const LINE_CHARACTERS_MAX = 200;
const HELP = [
  "help           this",
  "status         how long it is up, and how many it has served",
  "stop [SECONDS] refuse connections for a while, as a machine that restarts does",
  "clear          an empty screen",
];
const CLEAR = "\x1b[2J\x1b[H";

export class SerialConsole {
  readonly path: string;
  readonly #web: DemoWebServer;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(web: DemoWebServer, path: string) {
    this.#web = web;
    this.path = path;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Rejects when nobody may listen there. */
  open(): Promise<void> {
    rmSync(this.path, { force: true });
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.path, () => {
        chmodSync(this.path, 0o600);
        resolve();
      });
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
    const prompt = `${this.#web.name}> `;
    let line = "";
    socket.write(
      `\r\nserial line of ${this.#web.name}, a web server of sallyport demo; try help\r\n${prompt}`,
    );
    socket.setEncoding("utf8").on("data", (text: string) => {
      for (const letter of text) {
        if (letter === "\r" || letter === "\n") {
          socket.write(`\r\n${this.#run(line)}${prompt}`);
          line = "";
        } else if (letter === "\x7f" || letter === "\b") {
          if (line !== "") socket.write("\b \b");
          line = line.slice(0, -1);
        } else if (letter >= " " && line.length < LINE_CHARACTERS_MAX) {
          line += letter;
          socket.write(letter);
        }
      }
    });
  }

  /** What is shown for a line, each of its own lines ended. */
  #run(line: string): string {
    const [word = "", argument] = line.trim().split(/\s+/);
    if (word === "") return "";
    if (word === "clear") return CLEAR;
    const lines = word === "help" ? HELP : [this.#answer(word, argument)];
    return lines.map((text) => `${text}\r\n`).join("");
  }

  #answer(word: string, argument: string | undefined): string {
    if (word === "status") return this.#web.describe();
    if (word !== "stop") return `there is no ${word}; try help`;
    const seconds = Number(argument ?? OUT_SECONDS_DEFAULT);
    if (!(seconds >= 1 && seconds <= OUT_SECONDS_MAX)) return `SECONDS is 1 to ${OUT_SECONDS_MAX}`;
    this.#web.goOut(seconds);
    return `${this.#web.name} is out for ${seconds} s`;
  }
}
