/** The plain request on other servers, where they are installed. For information: these rows have no bound. @module */

import { compare } from "../compare.ts";
import { wrkDriver } from "../load.ts";
import { type Command, isInstalled } from "../process.ts";
import type { Row } from "../table.ts";
import { ours, pathOf, type Work } from "../work.ts";

interface Other {
  readonly name: string;
  readonly command: Command;
}

const OTHERS: readonly Other[] = [
  { name: "node:http on Node", command: { program: "node", args: [pathOf("apps/hello_node.mjs")] } },
  { name: "node:http on Deno", command: { program: Deno.execPath(), args: ["run", "-A", pathOf("apps/hello_node.mjs")] } },
  {
    name: "uvicorn",
    command: {
      program: "uvicorn",
      args: ["--app-dir", pathOf("apps"), "--port", "0", "--no-access-log", "--lifespan", "off", "hello_uvicorn:app"],
    },
  },
];

/** The hello of the first row beside other servers. */
export const others: Work = {
  name: "others",
  async run(settings) {
    const rows: Row[] = [];
    for (const { name, command } of OTHERS) {
      if (!(await isInstalled(command.program))) {
        settings.note(`${name}: not installed, skipped`);
        continue;
      }
      rows.push(
        await compare({
          title: `hello beside ${name} (in place of the floor)`,
          ours: ours("hello.ts"),
          floor: command,
          drive: ({ url }) => wrkDriver(url),
        }, settings),
      );
    }
    return rows;
  },
};
