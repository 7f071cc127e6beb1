/**
 * From the arguments of a command to an app.
 *
 * Not here: how an argument is read (`app_reference.ts`), what an app can be (`to_app.ts`).
 *
 * @module
 */

import type { App } from "../spec/app.ts";
import { StartupError } from "../spec/errors.ts";
import { type AppReference, readReference } from "./app_reference.ts";
import { foreignConfigProblem } from "./config_scope.ts";
import { moduleProblem } from "./module_problem.ts";
import { appOfFactory, toApp } from "./to_app.ts";

/** What to load. */
export interface AppSource {
  /** A path, `module:export`, a URL or a specifier. Without it and without `code`, the app lists the working directory. */
  readonly app?: string;
  /** An app given as text: an expression, or a module with a default export. */
  readonly code?: string;
  /** Arguments for a factory. Where there are any, the export is called with them. */
  readonly args?: Readonly<Record<string, string>>;
}

/**
 * Loads an app.
 *
 * @throws {StartupError} With one line that says what is wrong and what would be right.
 */
export async function loadApp(source: AppSource): Promise<App> {
  const args = source.args ?? {};
  const hasArgs = Object.keys(args).length > 0;
  if (source.code !== undefined) {
    const value = (await importModule(codeUrl(source.code), "--eval")).default;
    if (value === undefined) {
      throw new StartupError("The code of --eval has no default export: give an expression, or export default an app");
    }
    const label = "the code of --eval";
    return hasArgs ? await appOfFactory(value, label, args) : await toApp(value, label);
  }
  if (source.app === undefined) {
    if (hasArgs) {
      throw new StartupError(`The arguments ${Object.keys(args).join(", ")} need an app: without one, the working directory is listed`, {
        exitCode: 2,
      });
    }
    const { directoryApp } = await import("../toolkit/apps/directory.ts");
    return directoryApp(Deno.cwd());
  }
  const reference = readReference(source.app);
  if (reference.path !== null) {
    const problem = foreignConfigProblem(reference.path);
    if (problem !== null) throw new StartupError(problem);
  }
  const value = pick(await importModule(reference.specifier, reference.label), reference);
  const label = reference.exportName === "default"
    ? `the default export of ${reference.label}`
    : `the export ${reference.exportName} of ${reference.label}`;
  return hasArgs || reference.isCall ? await appOfFactory(value, label, args) : await toApp(value, label);
}

async function importModule(specifier: string, label: string): Promise<Record<string, unknown>> {
  try {
    return await import(specifier);
  } catch (error) {
    throw new StartupError(`Cannot load ${label}: ${moduleProblem(error)}`, { cause: error });
  }
}

function pick(module: Record<string, unknown>, { label, exportName }: AppReference): unknown {
  if (exportName in module) return module[exportName];
  const names = Object.keys(module);
  const has = names.length === 0 ? "it exports nothing" : `it exports ${names.join(", ")}`;
  if (exportName !== "default") throw new StartupError(`${label} has no export ${exportName}: ${has}`);
  throw new StartupError(
    `${label} has no default export (${has}): write "export default app"${
      names.length === 0 ? "" : `, or name one as ${label}:${names[0]}`
    }`,
  );
}

// A text with an import or export statement is a module, else it is an expression.
function codeUrl(code: string): string {
  const isModule = /(?:^|[;\n])\s*(?:export|import)\b(?!\s*\()/.test(code);
  const text = isModule ? code : `export default (${code}\n);`;
  return `data:application/typescript;charset=utf-8,${encodeURIComponent(text)}`;
}
