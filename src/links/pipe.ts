/**
 * A pipe between a server and one of its workers: it carries batches, in order, one at a time.
 *
 * Not here: what is in a batch (`packets.ts`), how packets become one (`outbox.ts`).
 *
 * @module
 */

/** Takes what comes. */
export type OnBatch = (text: string, bytes: Uint8Array<ArrayBuffer>) => void;

/** One end of a pipe. */
export interface Pipe {
  /**
   * Sends one batch. The next one may follow when the promise resolves, which it does when the pipe has room again; it never rejects,
   * a broken pipe is told by {@linkcode closed}.
   *
   * @param text The packets, as JSON.
   * @param parts The bytes that belong to them. They are not changed and not detached.
   */
  send(text: string, parts: readonly Uint8Array[]): Promise<void>;
  /** Begins to deliver. `onBatch` must not keep the pipe waiting; what it throws closes the pipe. */
  start(onBatch: OnBatch): void;
  /** Resolves with the cause once nothing more comes: an empty text where the other end closed it. */
  readonly closed: Promise<string>;
  /** Ends it, with a cause for {@linkcode closed}. What was not sent is lost. */
  close(cause?: string): void;
}
