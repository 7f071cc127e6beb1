/**
 * From a module that is known by its URL to an app: what this process does itself, and a worker when it is told which.
 *
 * It looks at no file by its name, since a worker in a sandbox may not.
 *
 * @module
 */

import type { App } from "../spec/app.ts";
import { StartupError } from "../spec/errors.ts";
import type { AppReference } from "./app_reference.ts";
import { moduleProblem } from "./module_problem.ts";
import { appOfFactory, toApp } from "./to_app.ts";

/** What an app that is given as text is called in messages. */
export const CODE_LABEL = "the code of --eval";

/** A module, which of its exports is meant, and what a factory is called with. Plain data: a link sends it. */
export interface AppModule extends AppReference {
  /** Where there are any, the export is called with them. */
  readonly args: Readonly<Record<string, string>>;
}

/**
 * Imports a module and makes an app of its export.
 *
 * @throws {StartupError} With one line that says what is wrong and what would be right.
 */
export async function loadModule(module: AppModule): Promise<App> {
  const value = pick(await importModule(module), module);
  const label = isCode(module)
    ? module.label
    : module.exportName === "default"
    ? `the default export of ${module.label}`
    : `the export ${module.exportName} of ${module.label}`;
  const isCall = module.isCall || Object.keys(module.args).length > 0;
  return isCall ? await appOfFactory(value, label, module.args) : await toApp(value, label);
}

async function importModule({ specifier, label }: AppModule): Promise<Record<string, unknown>> {
  try {
    return await import(specifier);
  } catch (error) {
    throw new StartupError(`Cannot load ${label}: ${moduleProblem(error)}`, { cause: error });
  }
}

function pick(module: Record<string, unknown>, reference: AppModule): unknown {
  const { label, exportName } = reference;
  if (exportName in module) return module[exportName];
  if (isCode(reference)) throw new StartupError("The code of --eval has no default export: give an expression, or export default an app");
  const names = Object.keys(module);
  const has = names.length === 0 ? "it exports nothing" : `it exports ${names.join(", ")}`;
  if (exportName !== "default") throw new StartupError(`${label} has no export ${exportName}: ${has}`);
  throw new StartupError(
    `${label} has no default export (${has}): write "export default app"${
      names.length === 0 ? "" : `, or name one as ${label}:${names[0]}`
    }`,
  );
}

// Its label says all.
function isCode({ label }: AppModule): boolean {
  return label === CODE_LABEL;
}
