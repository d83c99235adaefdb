// A port on which connecting never comes to an end: its listener accepts nothing and its backlog is full. The
// listener is another process whose loop stands still, since Node cannot listen without accepting.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import process from "node:process";

const PROGRAM = `
const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  require("node:fs").writeSync(1, String(server.address().port) + "\\n");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;
/** More than a backlog of one takes. */
const FILLER_COUNT = 4;

export interface Hole {
  readonly port: number;
  close(): Promise<void>;
}

export async function startHole(): Promise<Hole> {
  const child: ChildProcess = spawn(process.execPath, ["-e", PROGRAM], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout!, "data")) as [Buffer];
  const port = Number(String(line).trim());
  const fillers: Socket[] = Array.from({ length: FILLER_COUNT }, () =>
    connect(port, "127.0.0.1").on("error", () => {}),
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    port,
    close: async () => {
      for (const filler of fillers) filler.destroy();
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
