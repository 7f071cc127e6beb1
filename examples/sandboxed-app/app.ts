/** An app that misbehaves: it tries what it should not do, and tells what it got. */

import { defineApp } from "@pagi/server";

const attempts: Readonly<Record<string, () => unknown>> = {
  "read /etc/passwd": () => Deno.readTextFile("/etc/passwd"),
  "read its own source": () => Deno.readTextFile(new URL(import.meta.url)),
  "read the server's environment in /proc": () => Deno.readTextFile(`/proc/${Deno.ppid}/environ`),
  "import /etc/passwd as text": () => import("/etc/" + "passwd", { with: { type: "text" } }),
  "write to /tmp": () => Deno.writeTextFile("/tmp/sandboxed-app", "I was here"),
  "read the variable HOME": () => Deno.env.get("HOME"),
  "read all variables": () => Deno.env.toObject(),
  "connect to port 22": () => Deno.connect({ hostname: "127.0.0.1", port: 22 }),
  "listen on a port": () => Deno.listen({ port: 0 }),
  "run a command": () => new Deno.Command("/bin/ls").output(),
  "end the server": () => Deno.kill(Deno.ppid, "SIGTERM"),
  "load a native library": () => Deno.dlopen("libc.so.6", {}),
  "download a package": () => import("npm:" + "is-odd@3.0.1"),
  "ask for permission": async () => {
    const { state } = await Deno.permissions.request({ name: "read" });
    if (state !== "granted") throw new Error(state);
  },
};

export default defineApp({
  async http(_scope, _receive, send) {
    let text = "";
    for (const [what, attempt] of Object.entries(attempts)) text += `${what}: ${await outcome(attempt)}\n`;
    await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
    await send({ type: "http.response.body", body: text });
  },
});

async function outcome(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
    return "done";
  } catch (error) {
    return `refused (${error instanceof Error ? error.name : error})`;
  }
}
