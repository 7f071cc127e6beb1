/** Text in a path, in a query and in a form comes back with its characters, bytes and code points counted. */
import type { App, HttpScope, Receive } from "@pagi/server";

const PAGE = await Deno.readTextFile(new URL("page.html", import.meta.url));

const app: App = async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error(`Unsupported scope type: ${scope.type}`);
  const text = await findText(scope, receive);
  const page = PAGE.replace("<!-- echo -->", () => text === null ? "" : echo(text));
  // The length of a body is counted in bytes; a text is encoded before it is counted.
  const body = new TextEncoder().encode(page);
  await send({
    type: "http.response.start",
    status: 200,
    headers: [["content-type", "text/html; charset=utf-8"], ["content-length", String(body.byteLength)]],
  });
  await send({ type: "http.response.body", body });
};

export default app;

/** From `/echo/TEXT`, which the server has decoded, from `?text=`, or from a form. */
async function findText(scope: HttpScope, receive: Receive): Promise<string | null> {
  if (scope.path.startsWith("/echo/")) return scope.path.slice("/echo/".length);
  if (scope.method !== "POST") return new URLSearchParams(scope.query_string).get("text");
  const decoder = new TextDecoder();
  let form = "";
  for (;;) {
    const event = await receive();
    if (event.type !== "http.request") return null;
    // Streaming, since a chunk may end in the middle of a character.
    form += decoder.decode(event.body, { stream: event.more === 1 });
    if (!event.more) return new URLSearchParams(form).get("text");
  }
}

function echo(text: string): string {
  const characters = [...text];
  const rows: [string, string][] = [
    ["Characters", String(characters.length)],
    ["UTF-8 bytes", String(new TextEncoder().encode(text).byteLength)],
    ["Code points", characters.map((character) => `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`).join(" ")],
  ];
  const list = rows.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join("");
  return `<section aria-label="Echo"><p class="echo">${escapeHtml(text)}</p><dl>${list}</dl></section>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
