/**
 * What a process is started through so that the system ends it with its server: `setpriv` of util-linux.
 *
 * A worker ends by itself as soon as its link does, whatever became of the server. One whose loop is blocked does not notice: only a
 * signal of the system reaches it. Without `setpriv`, such a worker outlives a server that was killed until its loop goes on.
 *
 * @module
 */

/** Said once, where it can't be had. */
export const WITHOUT_DEATH_SIGNAL = "Workers are started without setpriv: one whose loop is blocked outlives a server that is killed";

const COMMAND = ["setpriv", "--pdeathsig", "KILL"] as const;

/** The program and its arguments before those of the worker; `null` where there is none, it knows no such option, or it may not be run. */
export async function deathSignalCommand(): Promise<readonly string[] | null> {
  const [program, ...args] = COMMAND;
  try {
    const { success } = await new Deno.Command(program, { args: [...args, "true"], stdin: "null", stdout: "null", stderr: "null" })
      .spawn().status;
    return success ? COMMAND : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied) {
      return null;
    }
    throw error;
  }
}
