/**
 * A server of its own process: a gate that echoes, at a free port, at a path or at an inherited descriptor (`fd:3`), as its argument says.
 * It prints its port or why it can't listen, then its notes, and obeys lines of its standard input: `eat` opens files until no more can be opened, `free` closes them, `open` prints how many connections are open.
 *
 * @module
 */

import type { ListenAddress } from "../../src/engines/listener_settings.ts";
import { Gate } from "../../src/engines/node_gate.ts";
import { DEFAULT_WIRE_LIMITS } from "../../src/engines/node_settings.ts";

// Deno dies of a lack of descriptors where none listens to signals (ext/signals/lib.rs); a real server does.
Deno.addSignalListener("SIGTERM", () => Deno.exit(1));

const [path] = Deno.args;
const at: ListenAddress = path === undefined
  ? { kind: "tcp", host: "127.0.0.1", port: 0 }
  : path.startsWith("fd:")
  ? { kind: "fd", fd: Number(path.slice(3)) }
  : { kind: "unix", path, mode: 0o600 };
const gate = new Gate({ listeners: [{ at, tls: null, proxyProtocol: false }], trust: null, limits: DEFAULT_WIRE_LIMITS }, {
  take: ({ socket, server: [host, port] }) => {
    console.log(`from ${host}:${port}`);
    socket.on("data", (bytes) => void socket.write(bytes));
    socket.on("end", () => socket.end());
  },
  note: (_level, text) => console.log(`note ${text}`),
});
const [address] = await gate.listen().catch((error) => {
  console.log(`error ${error.message}`);
  Deno.exit(error.exitCode);
});
console.log(`port ${address?.transport === "tcp" ? address.port : 0}`);
const files: Deno.FsFile[] = [];
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  for (const line of text.trim().split("\n")) {
    if (line === "eat") {
      try {
        for (;;) files.push(await Deno.open("/dev/null"));
      } catch {
        console.log(`ate ${files.length}`);
      }
    } else if (line === "free") {
      for (const file of files.splice(0)) file.close();
      console.log("freed");
    } else console.log(`open ${gate.open}`);
  }
}
gate.stop();
Deno.exit(0);
