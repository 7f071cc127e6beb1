/**
 * Reads the files of TLS again, when they change and when somebody asks, and gives what is new and right to the engine.
 *
 * What is wrong leaves everything as it was, and is told. Changes are seen by a watch; where there is none, and for what
 * time alone changes, there is a look every minute.
 *
 * Not here: reading and checking (`tls_files.ts`), watching (`tls_watch.ts`), how connections change over (engines).
 *
 * @module
 */

import type { TlsSettings } from "../engines/listener_settings.ts";
import type { Clock, Level, Timer } from "../exchange.ts";
import { isSameTls, readTls, type TlsFiles, tlsPaths, type TlsReading } from "./tls_files.ts";
import type { OpenTlsFiles } from "./tls_options.ts";
import { type FileWatch, type WatchFiles, watchFiles } from "./tls_watch.ts";

/** What a {@linkcode TlsReload} works with. */
export interface TlsReloadParts {
  /** Gives new certificates to the engine; `null` where it keeps those that it has. */
  readonly apply: ((tls: TlsSettings) => void) | null;
  readonly log: (level: Level, text: string) => void;
  readonly clock: Clock;
  /** Left out outside of tests, here and below. */
  readonly watch?: WatchFiles;
  readonly read?: (files: TlsFiles) => TlsReading;
}

/** A change is seldom one alone: certificate and key are two files. */
const GATHER_MS = 300;

/** Files that come one after the other do not go together for a while: what is wrong after that long stays wrong. */
const SETTLE_MS = 5000;

/** What no watch tells is seen after that long. */
const LOOK_MS = 60_000;

const CHANGED = "The TLS files have changed";

const STILL_WRONG = "The TLS files are still not right";

/** Keeps certificates up to date, from its making until it is disposed of. */
export class TlsReload implements Disposable {
  readonly #files: TlsFiles;
  readonly #parts: TlsReloadParts;
  readonly #said = new Set<string>();
  /** What an engine that keeps its certificates serves. */
  readonly #first: TlsSettings;
  #tls: TlsSettings;
  #watch: FileWatch | null = null;
  #gathering: Timer | null = null;
  #settling: Timer | null = null;
  #look: Timer | null = null;
  #problem: string | null = null;
  #isOver = false;

  /** Begins to watch. Files that can be read only once, such as pipes, are not watched. */
  constructor({ files, reading }: OpenTlsFiles, parts: TlsReloadParts) {
    this.#files = files;
    this.#parts = parts;
    this.#first = this.#tls = reading.tls;
    this.#warn(reading.warnings);
    if (!tlsPaths(files).every(isFile)) return;
    this.#rewatch();
    this.#lookLater();
  }

  /**
   * Reads the files at once. Never throws.
   *
   * @returns Whether there was anything to do about them, which the log then tells.
   */
  reload(cause: string): boolean {
    return !this.#isOver && this.#reload(cause, "asked");
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#watch?.close();
    this.#gathering?.cancel();
    this.#settling?.cancel();
    this.#look?.cancel();
  }

  #changed(): void {
    if (this.#isOver) return;
    this.#gathering ??= this.#parts.clock.after(GATHER_MS, () => {
      this.#gathering = null;
      // Before the files are read, so that no change falls in between.
      this.#rewatch();
      this.#reload(CHANGED, "seen");
    });
  }

  #lookLater(): void {
    this.#look = this.#parts.clock.after(LOOK_MS, () => {
      this.#rewatch();
      this.#reload(CHANGED, "seen");
      this.#lookLater();
    });
  }

  #rewatch(): void {
    this.#watch?.close();
    this.#watch = (this.#parts.watch ?? watchFiles)(tlsPaths(this.#files), () => this.#changed());
  }

  // A mistake that nobody has mended is told once as a warning and once as an error, unless somebody asks.
  #reload(cause: string, why: "seen" | "settled" | "asked"): boolean {
    const { apply, log } = this.#parts;
    try {
      const { tls, certificates, warnings } = this.#read();
      const isSame = isSameTls(tls, this.#tls);
      if (isSame && this.#problem !== null) log("info", `${CHANGED}: they are right again, and as before`);
      else if (isSame && why === "asked" && apply !== null) log("info", `${cause}: the certificates have not changed`);
      this.#problem = null;
      this.#settling?.cancel();
      this.#settling = null;
      const isKept = apply === null && !isSameTls(tls, this.#first);
      if (isSame && !(isKept && why === "asked")) {
        // Time goes by.
        this.#warn(warnings);
        return apply !== null;
      }
      apply?.(tls);
      this.#tls = tls;
      if (apply !== null) log("info", `${cause}: new connections get ${certificates.join("; ")}`);
      else if (isKept) log("warn", `${cause}: this engine keeps the certificate that it has until the server starts again`);
      else log("info", `${cause}: they are again those that this engine has`);
      this.#warn(warnings);
      return true;
    } catch (error) {
      const problem = messageOf(error);
      if (why === "seen") {
        if (problem === this.#problem) return true;
        log("warn", `${cause}, the certificates stay as they are: ${problem}`);
        this.#settle();
      } else {
        log("error", `${why === "asked" ? cause : STILL_WRONG}, the certificates stay as they are: ${problem}`);
        this.#settling?.cancel();
        this.#settling = null;
      }
      this.#problem = problem;
      return true;
    }
  }

  #settle(): void {
    this.#settling?.cancel();
    this.#settling = this.#parts.clock.after(SETTLE_MS, () => {
      this.#settling = null;
      this.#reload(CHANGED, "settled");
    });
  }

  // A pipe would hold up the whole server.
  #read(): TlsReading {
    const pipe = tlsPaths(this.#files).find((path) => !isFile(path));
    if (pipe !== undefined) throw new Error(`${pipe} is no regular file, which can't be read again`);
    return (this.#parts.read ?? readTls)(this.#files);
  }

  #warn(warnings: readonly string[]): void {
    for (const warning of warnings) this.#once("warn", warning);
  }

  #once(level: Level, text: string): void {
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.#parts.log(level, text);
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    // Whoever reads it says why.
    return true;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
