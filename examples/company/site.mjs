// A web server for the example's machines: says its name and what it was asked. `node site.mjs NAME PORT`
import { createServer } from "node:http";
import process from "node:process";

const [name = "SITE", port = "8080"] = process.argv.slice(2);

createServer(({ method, url, headers }, response) => {
  response.setHeader("Content-Type", "text/plain");
  response.end(`${name}\n${method} ${url}\n${JSON.stringify(headers, null, 2)}\n`);
}).listen(Number(port), () => console.log(`${name} listens on port ${port}`));
