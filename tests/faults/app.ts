/**
 * The app of the fault tests: it goes as far as the path says, prints where it is, and stays there until the client goes on.
 *
 * A line on standard output is `STATE PID`: a test that waits for it knows the state of the exchange and whom to kill.
 *
 * @module
 */

/** The text of the app. `gate` is a file without which the lifespan startup does not end, `""` for none. */
export function appText({ gate = "", shutdown = "" }: { gate?: string; shutdown?: "" | "hang" } = {}): string {
  return `const say = (state) => console.log(state + " " + Deno.pid);
const exists = (path) => Deno.stat(path).then(() => true, () => false);
const never = new Promise(() => {});

async function lifespan(receive, send) {
  for (;;) {
    const { type } = await receive();
    say(type);
    if (type === "lifespan.startup" && ${JSON.stringify(gate)} !== "") {
      while (!await exists(${JSON.stringify(gate)})) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (type === "lifespan.shutdown" && ${JSON.stringify(shutdown)} === "hang") await never;
    await send({ type: type + ".complete" });
    if (type === "lifespan.shutdown") return;
  }
}

const start = (send) => send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
const body = (send, text, more = false) => send({ type: "http.response.body", body: text, more });

const paths = {
  "/": async (receive, send) => {
    await start(send);
    await body(send, String(Deno.pid));
  },
  // One answer for the whole of the request body.
  "/upload": async (receive, send) => {
    let bytes = 0;
    for (let more = true; more;) {
      const event = await receive();
      if (event.type !== "http.request") return say("left");
      bytes += event.body.byteLength;
      more = event.more;
      say("upload");
    }
    await start(send);
    await body(send, bytes + " bytes for " + Deno.pid);
  },
  // A chunk of the answer for each one of the request.
  "/echo": async (receive, send) => {
    await start(send);
    await body(send, Deno.pid + "\\n", true);
    for (let more = true; more;) {
      const event = await receive();
      if (event.type !== "http.request") return say("left");
      more = event.more;
      await send({ type: "http.response.body", body: event.body, more });
    }
  },
  "/hang": async () => {
    say("hang");
    await never;
  },
  "/started": async (receive, send) => {
    await start(send);
    say("started");
    await never;
  },
  "/stream": async (receive, send) => {
    await start(send);
    await body(send, "first of " + Deno.pid + "\\n", true);
    say("stream");
    await never;
  },
  // A few milliseconds of waiting, as for a database.
  "/wait": async (receive, send) => {
    await new Promise((resolve) => setTimeout(resolve, 4));
    await start(send);
    await body(send, String(Deno.pid));
  },
  "/slow": async (receive, send) => {
    say("slow");
    await new Promise((resolve) => setTimeout(resolve, 300));
    await start(send);
    await body(send, "slow answer of " + Deno.pid);
  },
  "/block": () => {
    say("block");
    while (true);
  },
  "/exit": () => Deno.exit(7),
  "/close": () => self.close(),
  "/heap": () => {
    const kept = [];
    while (true) kept.push(new Array(1000).fill(kept.length));
  },
  "/buffers": async () => {
    const kept = [];
    for (;;) {
      kept.push(new Uint8Array(20_000_000).fill(1));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  },
  "/later": async (receive, send) => {
    setTimeout(() => { throw new Error("thrown in a timer"); }, 0);
    queueMicrotask(() => { throw new Error("thrown in a microtask"); });
    Promise.reject(new Error("rejected and left alone"));
    await new Promise((resolve) => setTimeout(resolve, 10));
    await start(send);
    await body(send, "still here");
  },
  // What an app can do to the code that speaks for it.
  "/text": async () => {
    JSON.stringify = () => "no JSON";
  },
  "/packets": async () => {
    JSON.stringify = () => "[99,0]";
  },
  "/frames": async () => {
    DataView.prototype.setUint32 = function () {};
  },
};

export default async (scope, receive, send) => {
  if (scope.type === "lifespan") return lifespan(receive, send);
  if (scope.type === "websocket") {
    await receive();
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.send", text: String(Deno.pid) });
    say("websocket");
    for (;;) {
      const event = await receive();
      if (event.type === "websocket.disconnect") return;
      await send({ type: "websocket.send", text: "you said " + event.text });
    }
  }
  if (scope.type === "sse") {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: String(Deno.pid) });
    say("sse");
    await never;
  }
  await paths[scope.path](receive, send);
};
`;
}
