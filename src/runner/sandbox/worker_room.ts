/**
 * What one worker in a sandbox has of its own on the disk, removed when it is gone: an empty working directory, and a folder of Deno's
 * for localStorage, caches and compiled modules, so that no app finds what another left there. Downloaded modules are linked into it.
 *
 * @module
 */

import { AuditPipe } from "./audit_pipe.ts";
import { DiskWatch } from "./disk_watch.ts";

/** Of Deno's folder, what workers only read: whatever they compile stays in their room. */
export type Shared = "remote" | "npm";

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
  #disk: DiskWatch | null = null;

  /** Makes it at a path where nothing is yet; `shared` is what of `denoDir` is linked into it. */
  static async make(path: string, denoDir: string, shared: readonly Shared[], { uid, gid }: Owner): Promise<WorkerRoom> {
    await Deno.mkdir(path, { mode: 0o700 });
    const [cwd, own] = [`${path}/cwd`, `${path}/deno`];
    await Promise.all([Deno.mkdir(cwd), Deno.mkdir(own)]);
    await Promise.all(shared.map((name) => Deno.symlink(`${denoDir}/${name}`, `${own}/${name}`)));
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

  /** The worker is being started: reads its audit log, and looks at what it has on the disk; `full` is called with a cause. */
  listen(onLine: (line: string) => void, full: (cause: string) => void): void {
    if (this.auditPath !== null) this.#audit = new AuditPipe(this.auditPath, onLine);
    this.#disk = new DiskWatch([this.cwd, this.denoDir], full);
  }

  /** The worker is gone: removes everything. */
  async leave(): Promise<void> {
    await this.#disk?.stop();
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
