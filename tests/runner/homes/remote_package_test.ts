/** The package itself comes from a web server: its worker is started from there, under the configuration of the user. */

import { assertEquals } from "@std/assert";
import { Cli, folder, ROOT } from "../process.ts";

const APP = `import word from "leaf";
export default async (scope, receive, send) => {
  if (scope.type === "lifespan") throw new Error("no lifespan");
  await send({ type: "http.response.start", status: 200, headers: [] });
  await send({ type: "http.response.body", body: word });
};
`;

async function source({ url }: Request): Promise<Response> {
  try {
    const text = await Deno.readTextFile(ROOT.slice(0, -1) + new URL(url).pathname);
    return new Response(text, { headers: { "content-type": "application/typescript" } });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Response(null, { status: 404 });
    throw error;
  }
}

for (const type of ["process", "thread"]) {
  Deno.test(`a worker of a package from a web server is started from there: ${type}`, async () => {
    const asked: string[] = [];
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
      asked.push(new URL(request.url).pathname);
      return source(request);
    });
    const own = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
    await using project = await folder({
      "app.js": APP,
      "leaf.js": 'export default "leaf";',
      "deno.json": JSON.stringify({
        imports: { ...own.imports, leaf: "./leaf.js" },
        links: (own.links as string[]).map((link) => new URL(link, `file://${ROOT}`).pathname),
      }),
    });
    // Packages are there already; what is downloaded here is not kept.
    const cache = JSON.parse(
      new TextDecoder().decode((await new Deno.Command(Deno.execPath(), { args: ["info", "--json"], cwd: project.path }).output()).stdout),
    );
    await Deno.mkdir(`${project.path}/cache`);
    await Deno.symlink(cache.npmCache.replace(/\/npm\b.*$/, "/npm"), `${project.path}/cache/npm`);
    await using cli = new Cli([`${project.path}/app.js`, "--port", "0", "--workers", "1", "--worker-type", type], {
      cwd: project.path,
      main: `http://127.0.0.1:${server.addr.port}/cli.ts`,
      denoArgs: ["--no-lock", "--config", `${project.path}/deno.json`],
      env: { DENO_DIR: `${project.path}/cache` },
    });
    assertEquals(await (await fetch(await cli.url())).text(), "leaf");
    assertEquals((await cli.stop()).code, 0);
    assertEquals(asked.includes("/src/worker.ts"), true);
  });
}
