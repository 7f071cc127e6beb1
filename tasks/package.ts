/**
 * What `deno.json` says about the package, for the tasks.
 *
 * @module
 */

/** The part of `deno.json` that the tasks read. */
export interface PackageConfig {
  name: string;
  version: string;
  license: string;
  exports: Record<string, string>;
  imports: Record<string, string>;
  links?: string[];
  compilerOptions: Record<string, unknown>;
  publish: { include: string[]; exclude?: string[] };
}

/** The folder of the package. */
export const ROOT: URL = new URL("../", import.meta.url);

/** Reads `deno.json`. */
export function readConfig(): PackageConfig {
  return JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT)));
}

/** The modules that a user can import. */
export function entryPoints(): string[] {
  return Object.values(readConfig().exports);
}
