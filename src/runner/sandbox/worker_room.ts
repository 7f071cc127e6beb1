/**
 * What one worker in a sandbox has of its own on the disk, removed when it is gone: an empty working directory, and a folder of Deno's
 * for localStorage and caches, so that no app finds what another left there. Downloaded modules are linked into it.
 *
 * @module
 */

import { makeLinkDirectory } from "../../links/link_directory.ts";
import { AuditPipe } from "./audit_pipe.ts";

/** Of Deno's folder, what workers only read. */
const SHARED = ["remote", "npm", "gen"] as const;

/** Who owns it. */
export interface Owner {
  readonly uid: number | null;
  readonly gid: number | null;
}

/** The room. */
export class WorkerRoom {
  readonly cwd: string;
  readonly denoDir: string;
  /** Where the runtime writes its audit log; `null` where the system has no named pipes. */
  readonly auditPath: string | null;
  readonly #path: string;
  #audit: AuditPipe | null = null;

  /** Makes it. */
  static async make(denoDir: string, { uid, gid }: Owner): Promise<WorkerRoom> {
    // Its name tells whose it is, so that those of dead servers are swept with the links.
    const path = await makeLinkDirectory();
    const [cwd, own] = [`${path}/cwd`, `${path}/deno`];
    await Promise.all([Deno.mkdir(cwd), Deno.mkdir(own)]);
    await Promise.all(SHARED.map((name) => Deno.symlink(`${denoDir}/${name}`, `${own}/${name}`)));
    const auditPath = await AuditPipe.make(`${path}/audit`);
    for (const name of [path, cwd, own, ...(auditPath === null ? [] : [auditPath])]) await giveTo(name, { uid, gid });
    return new WorkerRoom(path, auditPath);
  }

  private constructor(path: string, auditPath: string | null) {
    this.#path = path;
    this.cwd = `${path}/cwd`;
    this.denoDir = `${path}/deno`;
    this.auditPath = auditPath;
  }

  /** The worker is being started: reads its audit log. */
  listen(onLine: (line: string) => void): void {
    if (this.auditPath !== null) this.#audit = new AuditPipe(this.auditPath, onLine);
  }

  /** The worker is gone: removes everything. */
  async leave(): Promise<void> {
    await this.#audit?.close();
    try {
      await Deno.remove(this.#path, { recursive: true });
    } catch (error) {
      // An app that may write there can have done so itself.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Gives a file to its owner, where that is another one. */
export async function giveTo(path: string, { uid, gid }: Owner): Promise<void> {
  if (uid !== null || gid !== null) await Deno.chown(path, uid, gid);
}
