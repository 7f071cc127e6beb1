// The smallest server on node:http2, by its streams, for cleartext HTTP/2.
import { createServer } from "node:http2";

const seen = { units: 0 };

const server = createServer({ settings: { maxConcurrentStreams: 128 } });
server.on("stream", (stream, headers) => {
  let units = stream.session.socket.remoteAddress.length;
  for (const name in headers) units += name.length + String(headers[name]).length;
  seen.units = (seen.units + units) | 0;
  stream.respond({ ":status": 200, "content-type": "text/plain; charset=utf-8" });
  stream.end("Hello, world\n");
});

server.listen(0, "127.0.0.1", () => console.error(`Listening on http://127.0.0.1:${server.address().port}/`));
