/** The pages of the examples in a browser, two tabs each. */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { browse } from "./browsing.ts";
import { curling, run } from "./running.ts";
import { needs } from "../tools.ts";

// The driver of the browser keeps a pipe and timers of its own between calls.
const page = (name: string, body: () => Promise<void>) =>
  Deno.test({ ...needs(["chromium", "curl"], name), sanitizeOps: false, sanitizeResources: false, fn: body });

page("websocket-chat shows the users of a room to each other, and no other room's messages", async () => {
  await using example = await run("websocket-chat");
  await using browser = await browse();
  const [ada, bob] = [await browser.open(example.url), await browser.open(example.url)];
  await enter(ada, "Ada");
  await enter(bob, "Bob");
  await ada.getByText("Bob came in").waitFor();
  assertEquals(await users(ada), ["Ada", "Bob"]);

  await say(ada, "Hello <b>Bob</b> & née 🔥");
  await message(bob, "Hello <b>Bob</b> & née 🔥").waitFor();
  await message(ada, "Hello <b>Bob</b> & née 🔥").waitFor();
  await say(bob, "Hi Ada");
  await message(ada, "Hi Ada").waitFor();
  if (Deno.env.get("SCREENSHOTS")) await ada.screenshot({ path: `${Deno.env.get("SCREENSHOTS")}/chat.png` });

  // Bob goes to another room: Ada is alone, and hears no more of him.
  await bob.getByLabel("Another room").fill("Garden");
  await bob.getByLabel("Another room").press("Enter");
  await bob.getByRole("heading", { name: "garden" }).waitFor();
  await ada.getByText("Bob left").waitFor();
  assertEquals(await users(ada), ["Ada"]);
  await say(bob, "Only in the garden");
  await message(bob, "Only in the garden").waitFor();
  await say(ada, "Only in the lobby");
  await message(ada, "Only in the lobby").waitFor();
  assertEquals(await message(ada, "Only in the garden").count(), 0);
  assertEquals(await message(bob, "Only in the lobby").count(), 0);

  // Ada follows by the list of rooms, and sees what was said there.
  await ada.getByRole("button", { name: "garden, 1 person" }).click();
  await message(ada, "Only in the garden").waitFor();
  await bob.getByText("Ada came in").waitFor();
  assertEquals(await users(bob), ["Ada", "Bob"]);

  await ada.close();
  await bob.getByText("Ada left").waitFor();
  assertEquals(browser.problems, []);
});

page("websocket-chat comes back by itself when the server restarts", async () => {
  await using browser = await browse();
  const before = await run("websocket-chat");
  const [ada, bob] = [await browser.open(before.url), await browser.open(before.url)];
  await enter(ada, "Ada");
  await enter(bob, "Bob");
  assertEquals(await users(bob), ["Ada", "Bob"]);
  await before.stop();
  await ada.getByText("The server restarts, trying again").waitFor();
  await using _ = await run("websocket-chat", ["--port", String(before.port)]);
  await ada.locator("#state", { hasText: /^connected$/ }).waitFor();
  await bob.locator("#state", { hasText: /^connected$/ }).waitFor();
  await say(bob, "We are back");
  await message(ada, "We are back").waitFor();
});

page("websocket-chat tells who picks a name that is taken", async () => {
  await using example = await run("websocket-chat");
  await using browser = await browse();
  const [ada, other] = [await browser.open(example.url), await browser.open(example.url)];
  await enter(ada, "Ada");
  await other.getByLabel("Your name").fill("ada");
  await other.getByRole("button", { name: "Enter" }).click();
  await other.getByRole("alert").getByText("The name ada is taken").waitFor();
  await enter(other, "Eve");
  assertEquals(await users(other), ["Ada", "Eve"]);
  assertEquals(browser.problems, []);
});

page("websocket-chat refuses the page of another site", async () => {
  await using example = await run("websocket-chat");
  const ask = async (origin: string) => {
    const { stdout } = await new Deno.Command("curl", {
      args: [
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "--http1.1",
        "--max-time",
        "2",
        "-H",
        `origin: ${origin}`,
        "-H",
        "connection: upgrade",
        "-H",
        "upgrade: websocket",
        "-H",
        "sec-websocket-version: 13",
        "-H",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        example.url,
      ],
    }).output();
    return new TextDecoder().decode(stdout);
  };
  assertEquals(await ask("https://evil.example"), "403");
  assertEquals(await ask("null"), "403");
  assertEquals(await ask(example.url), "101");
});

page("sse-ticker shows the same ticks in two tabs, and counts them", async () => {
  await using example = await run("sse-ticker");
  await using browser = await browse();
  const tabs = [await browser.open(example.url), await browser.open(example.url)];
  for (const tab of tabs) {
    await tab.locator("#state", { hasText: "live" }).waitFor();
    await tab.locator("#watchers", { hasText: /^2$/ }).waitFor();
  }
  const first = Number(await tabs[0]!.locator("#number").textContent());
  // The text is a script of the page, whose types are not those of this file.
  const wait = `document.querySelector("#number").textContent === "${first + 2}" && document.querySelector("#value").textContent`;
  const values = await Promise.all(tabs.map(async (tab) => await (await tab.waitForFunction(wait)).jsonValue()));
  assert(/^\d+\.\d\d$/.test(String(values[0])), String(values));
  assertEquals(values[0], values[1]);
  assert((await tabs[0]!.locator("#line").getAttribute("points"))!.split(" ").length >= 3);
  if (Deno.env.get("SCREENSHOTS")) await tabs[0]!.screenshot({ path: `${Deno.env.get("SCREENSHOTS")}/ticker.png` });
  await tabs[1]!.close();
  await tabs[0]!.locator("#watchers", { hasText: /^1$/ }).waitFor();
  assertEquals(browser.problems, []);
});

page("sse-ticker gives what a client has missed, and ends its streams when the server stops", async () => {
  await using example = await run("sse-ticker");
  const stream = (...more: string[]) => curling("-H", "accept: text/event-stream", ...more, `${example.url}/ticks`);
  {
    await using client = stream();
    await client.until("id: 3\n");
  }
  await using client = stream("-H", "last-event-id: 1");
  const text = await client.until("id: 3\n");
  assertEquals([...text.matchAll(/^id: (\d+)$/gm)].slice(0, 2).map((match) => match[1]), ["2", "3"]);
  const started = performance.now();
  await example.stop();
  assert(performance.now() - started < 5000);
});

async function enter(tab: Page, name: string): Promise<void> {
  await tab.getByLabel("Your name").fill(name);
  await tab.getByRole("button", { name: "Enter" }).click();
  await tab.getByText("You are in lobby").waitFor();
}

async function say(tab: Page, text: string): Promise<void> {
  await tab.getByLabel("Message", { exact: true }).fill(text);
  await tab.getByRole("button", { name: "Send" }).click();
  assertEquals(await tab.getByLabel("Message", { exact: true }).inputValue(), "");
}

function message(tab: Page, text: string) {
  return tab.locator(".message").filter({ hasText: text });
}

async function users(tab: Page): Promise<string[]> {
  return await tab.locator("#users li").allTextContents();
}
