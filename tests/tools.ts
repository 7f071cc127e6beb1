/** Tools that a test may need and a machine may lack. */

/** The options and the name of a test that needs tools: `Deno.test(needs("curl", "serves curl"), ...)`. It is skipped where one is absent. */
export function needs(tools: string | readonly string[], name: string): { name: string; ignore: boolean } {
  const absent = [tools].flat().filter((tool) => !has(tool));
  return { name: absent.length > 0 ? `${name} (needs ${absent.join(", ")})` : name, ignore: absent.length > 0 };
}

/** Whether a tool is on the path. */
export function has(tool: string): boolean {
  return find(tool) !== null;
}

/** Where a tool is on the path; `null` where it is not. */
export function find(tool: string): string | null {
  const paths = (Deno.env.get("PATH") ?? "").split(":").map((folder) => `${folder}/${tool}`);
  return paths.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
      throw error;
    }
  }) ?? null;
}
