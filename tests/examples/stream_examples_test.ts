/** The examples of event streams and WebSockets, each run as its README says, with curl and the `ws` package as clients. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { WebSocket } from "ws";
import { curl, curling, run } from "./running.ts";
import { needs } from "../tools.ts";

const EVENTS = ["-H", "accept: text/event-stream"];

Deno.test("04-websocket-echo answers text with a prefix and bytes unchanged", async () => {
  await using example = await run("04-websocket-echo");
  const socket = new WebSocket(example.url.replace("http", "ws"));
  const messages = reader(socket);
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  for (const text of ["hi", "", "née €", "x".repeat(100_000)]) {
    socket.send(text);
    assertEquals(await messages.next(), { text: `echo: ${text}` });
  }
  const bytes = crypto.getRandomValues(new Uint8Array(1000));
  socket.send(bytes);
  assertEquals(await messages.next(), { bytes });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.close(4001, "enough");
  await example.line(/^Client disconnected: 4001 enough$/);
  await closed;
  await example.stop();
});

Deno.test("04-websocket-echo answers what its README tells to paste, and closes when the server stops", async () => {
  await using example = await run("04-websocket-echo");
  const readme = await Deno.readTextFile(new URL("../../examples/04-websocket-echo/README.md", import.meta.url));
  const pasted = [...readme.matchAll(/^ {4}(.*\b(?:ws|WebSocket)\b.*)$/gm)].map(([, line]) => line!).filter((line) =>
    !line.startsWith("deno")
  );
  assertEquals(pasted.length, 3);
  const code = `${pasted.join("\n").replace("5000", String(example.port))}\nws.onclose = ({ code }) => console.log(code);`;
  const console = new Deno.Command(Deno.execPath(), { args: ["eval", code], stdout: "piped", env: { NO_COLOR: "1" } }).spawn();
  let said = "";
  let stopped: Promise<string> | undefined;
  for await (const part of console.stdout.pipeThrough(new TextDecoderStream())) {
    said += part;
    stopped ??= example.stop();
  }
  assertEquals([said, (await console.status).code], ["echo: hi\n1012\n", 0]);
  // A close that the server has to make at the end of its patience has a reason.
  assertStringIncludes(await stopped!, "Client disconnected: 1012 \n");
});

Deno.test(needs("curl", "05-sse-broadcaster sends its three events and ends"), async () => {
  await using example = await run("05-sse-broadcaster");
  const started = performance.now();
  const answer = await curl("-i", ...EVENTS, example.url);
  assert(performance.now() - started > 2500, "a second before each");
  assertStringIncludes(answer.toLowerCase(), "content-type: text/event-stream");
  assert(answer.endsWith("event: tick\ndata: 1\n\nevent: tick\ndata: 2\n\nevent: done\ndata: finished\n\n"), answer);
  await example.stop();
});

Deno.test(needs("curl", "05-sse-broadcaster stops when the client leaves"), async () => {
  await using example = await run("05-sse-broadcaster");
  {
    await using client = curling(...EVENTS, example.url);
    await client.until("data: 1\n\n");
  }
  await example.line(/^The client left$/);
  await example.stop();
});

Deno.test(
  needs("curl", "13-flow-control reports a client that keeps up as healthy, and ends its stream when the server stops"),
  async () => {
    await using example = await run("13-flow-control");
    await using client = curling(...EVENTS, example.url);
    const text = await client.until("id: 10\n");
    assertStringIncludes(text, "event: reading\n");
    await example.line(/^round 50: healthy, \d+ bytes wait$/);
    const started = performance.now();
    await example.stop();
    assert(performance.now() - started < 5000, "the endless stream ends by itself");
  },
);

Deno.test("13-flow-control skips readings for a client that does not read", async () => {
  await using example = await run("13-flow-control");
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: example.port });
  // Many streams on one HTTP/2 connection share a window of 64 KiB, so the buffer fills at once; HTTP/1.1 would take minutes.
  await connection.write(prefaceAndRequest());
  await example.line(/^round \d+: conflating, \d+ skipped, \d+ bytes wait$/);
});

/** An HTTP/2 client by hand: the preface, no settings, and one GET / whose window is never opened again. RFC 9113, RFC 7541. */
function prefaceAndRequest(): Uint8Array {
  const literal = (name: number[], value: string) => [...name, value.length, ...new TextEncoder().encode(value)];
  const block = [
    0x82, // :method GET
    0x84, // :path /
    0x86, // :scheme http
    ...literal([0x41], "localhost"), // :authority
    ...literal([0x0f, 0x04], "text/event-stream"), // accept (index 19), not indexed
  ];
  const frame = (
    type: number,
    flags: number,
    stream: number,
    payload: number[],
  ) => [0, 0, payload.length, type, flags, 0, 0, 0, stream, ...payload];
  return Uint8Array.from([
    ...new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ...frame(4, 0, 0, []),
    ...frame(1, 5, 1, block),
  ]);
}

type Message = { text: string } | { bytes: Uint8Array };

function reader(socket: WebSocket): { next(): Promise<Message> } {
  const ready: Message[] = [];
  const waiting: ((message: Message) => void)[] = [];
  socket.on("message", (data: Uint8Array, isBinary: boolean) => {
    const message = isBinary ? { bytes: new Uint8Array(data) } : { text: new TextDecoder().decode(data) };
    const next = waiting.shift();
    if (next) next(message);
    else ready.push(message);
  });
  return {
    next: () => ready.length > 0 ? Promise.resolve(ready.shift()!) : new Promise((resolve) => waiting.push(resolve)),
  };
}
