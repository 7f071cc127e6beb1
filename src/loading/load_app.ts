/**
 * From the arguments of a command to an app, here or in a worker.
 *
 * Not here: how an argument is read (`app_reference.ts`), what an app can be (`to_app.ts`), the import itself (`load_module.ts`).
 *
 * @module
 */

import type { App } from "../spec/app.ts";
import { StartupError } from "../spec/errors.ts";
import { readReference } from "./app_reference.ts";
import { foreignConfigProblem } from "./config_scope.ts";
import { type AppModule, CODE_LABEL, loadModule } from "./load_module.ts";

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
 * Says which module an app comes from, without loading it. Paths are looked for from the working directory.
 *
 * @throws {StartupError} Where there is no such file, or the arguments do not go together.
 */
export function referTo({ app, code, args = {} }: AppSource): AppModule {
  if (code !== undefined) {
    return { label: CODE_LABEL, specifier: codeUrl(code), path: null, exportName: "default", isCall: false, args };
  }
  if (app !== undefined) return { ...readReference(app), args };
  if (Object.keys(args).length > 0) {
    throw new StartupError(`The arguments ${Object.keys(args).join(", ")} need an app: without one, the working directory is listed`, {
      exitCode: 2,
    });
  }
  const specifier = import.meta.resolve("../toolkit/apps/working_directory.ts");
  return { label: "the directory app", specifier, path: null, exportName: "default", isCall: true, args };
}

/**
 * Loads an app into this process.
 *
 * @throws {StartupError} With one line that says what is wrong and what would be right.
 */
export async function loadApp(source: AppSource): Promise<App> {
  const module = referTo(source);
  const problem = module.path === null ? null : foreignConfigProblem(module.path);
  if (problem !== null) throw new StartupError(problem);
  return await loadModule(module);
}

// A text with an import or export statement is a module, else it is an expression.
function codeUrl(code: string): string {
  const isModule = /(?:^|[;\n])\s*(?:export|import)\b(?!\s*\()/.test(code);
  const text = isModule ? code : `export default (${code}\n);`;
  return `data:application/typescript;charset=utf-8,${encodeURIComponent(text)}`;
}
