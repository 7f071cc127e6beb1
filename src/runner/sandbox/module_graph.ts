/**
 * The module graph of an app, listed by `deno info` without running it and without asking the network.
 *
 * @module
 */

import { StartupError } from "../../spec/errors.ts";

/** An import that loads something; imports of types alone are left out. */
export interface Edge {
  /** What is loaded, after redirects. */
  readonly target: string;
  /** `text`, `json`, `bytes`; left out for code. */
  readonly as?: string;
}

/** A module. */
export interface GraphModule {
  readonly specifier: string;
  readonly edges: readonly Edge[];
  /** Why it can't be had, where it can't. */
  readonly error?: string;
}

/** A graph. */
export interface ModuleGraph {
  readonly root: string;
  readonly modules: ReadonlyMap<string, GraphModule>;
}

/** What `deno info --json` prints, as far as it is used. */
interface Info {
  readonly roots: readonly string[];
  readonly redirects?: Readonly<Record<string, string>>;
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string };
      readonly assertionType?: string;
    }[];
  }[];
}

/** Nobody answers there: what is not in the cache can't be had. */
const NOWHERE = "http://127.0.0.1:1";

/**
 * Lists the modules of an app.
 *
 * @param flags Of the configuration and of imports.
 * @throws {StartupError} Where Deno can't.
 */
export async function readGraph(specifier: string, flags: readonly string[], denoDir: string): Promise<ModuleGraph> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", ...flags, specifier],
    clearEnv: true,
    // An app must not send the server anywhere before it runs.
    env: { DENO_DIR: denoDir, NO_COLOR: "1", HTTP_PROXY: NOWHERE, HTTPS_PROXY: NOWHERE },
    stdin: "null",
  }).output();
  if (!success) {
    const why = new TextDecoder().decode(stderr).split("\n").find((line) => line.includes("error")) ?? "deno info failed";
    const lock = /lockfile is out of date/i.test(why) ? lockFile(flags) : null;
    if (lock !== null) {
      throw new StartupError(
        `${lock} is out of date, and a sandbox changes no lock file: run "deno cache --frozen=false" with the app, in its folder`,
      );
    }
    throw new StartupError(`The modules of the app can't be listed: ${why.replace(/^error: /, "")}`);
  }
  const { roots, redirects = {}, modules } = JSON.parse(new TextDecoder().decode(stdout)) as Info;
  const final = (name: string) => redirects[name] ?? name;
  return {
    root: final(roots[0]!),
    modules: new Map(modules.map(({ specifier, error, dependencies = [] }) => [specifier, {
      specifier,
      ...(error === undefined ? {} : { error }),
      edges: dependencies.flatMap(({ code, assertionType }) =>
        code?.specifier === undefined
          ? []
          : [{ target: final(code.specifier), ...(assertionType === undefined ? {} : { as: assertionType }) }]
      ),
    }])),
  };
}

/** The folder where Deno keeps what it has downloaded. */
export async function denoDirectory(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", "--no-config"], stdin: "null", stderr: "null" })
    .output();
  return (JSON.parse(new TextDecoder().decode(stdout)) as { denoDir: string }).denoDir;
}

// It lies beside the configuration.
function lockFile(flags: readonly string[]): string | null {
  const config = flags[flags.indexOf("--config") + 1];
  return flags.includes("--config") && config !== undefined ? config.replace(/[^/]*$/, "deno.lock") : null;
}
