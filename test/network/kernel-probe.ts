// Sends one question from the network namespace that it runs in, and prints whether an answer came: "true",
// "false", or "unknown". Words: protocol, address, port, source port.
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import process from "node:process";

const [protocol, host, port, localPort] = process.argv.slice(2);
/** Within it even a first question that waits for ARP at three routers is through. */
const PATIENCE_MS = 900;

if (protocol === "udp") {
  const socket = createSocket(host!.includes(":") ? "udp6" : "udp4");
  socket.on("error", () => undefined);
  socket.bind(Number(localPort), () =>
    socket.send("?", Number(port), host, () =>
      setTimeout(() => {
        socket.close();
        console.log("unknown");
      }, 150),
    ),
  );
} else {
  const socket = connect({ host: host!, port: Number(port), localPort: Number(localPort) });
  const end = (isAnswered: boolean) => {
    console.log(isAnswered);
    socket.destroy();
    process.exit();
  };
  socket.on("connect", () => end(true));
  socket.on("error", ({ message }) => end(message.includes("ECONNREFUSED")));
  setTimeout(() => end(false), PATIENCE_MS);
}
