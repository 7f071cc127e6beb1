/** A headless Chromium for the tests of the pages. */
import { type Browser, chromium, type Page } from "playwright-core";
import { find } from "../tools.ts";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser, closed when disposed of; what its pages complain about is collected. */
export interface Browsing extends AsyncDisposable {
  readonly problems: string[];
  open(url: string): Promise<Page>;
}

/** Starts the browser. */
export async function browse(): Promise<Browsing> {
  const executablePath = find("chromium");
  if (executablePath === null) throw new Error("There is no chromium on the path");
  const browser: Browser = await chromium.launch({ executablePath, args: FLAGS, headless: true });
  const context = await browser.newContext();
  context.setDefaultTimeout(20_000);
  const problems: string[] = [];
  return {
    problems,
    async open(url) {
      const page = await context.newPage();
      page.on("pageerror", (error) => problems.push(String(error)));
      page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
      await page.goto(url);
      return page;
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
