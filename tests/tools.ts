/** Tools that a test may need and a machine may lack. */

/** The options and the name of a test that needs a tool: `Deno.test(needs("curl", "serves curl"), ...)`. */
export function needs(tool: string, name: string): { name: string; ignore: boolean } {
  const ignore = !has(tool);
  return { name: ignore ? `${name} (needs ${tool})` : name, ignore };
}

/** Whether a tool is on the path. */
export function has(tool: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${tool}`).isFile;
    } catch {
      return false;
    }
  });
}
