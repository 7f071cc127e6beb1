// The smallest server on node:http, for Node and for Deno. With a length, as the server under test has it: chunks cost more.
import { createServer } from "node:http";

const seen = { units: 0 };

const server = createServer((request, response) => {
  let units = request.method.length + request.url.length + request.socket.remoteAddress.length;
  for (const part of request.rawHeaders) units += part.length;
  seen.units = (seen.units + units) | 0;
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8", "content-length": "13" });
  response.end("Hello, world\n");
});

server.listen(0, "127.0.0.1", () => console.error(`Listening on http://127.0.0.1:${server.address().port}/`));
