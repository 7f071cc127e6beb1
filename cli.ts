/** The command line: `deno run -A jsr:@pagi/server/cli app.ts`. @module */
import { main } from "./src/runner/main.ts";
if (import.meta.main) Deno.exit(await main(Deno.args));
