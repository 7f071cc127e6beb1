/**
 * `file` and `fh` bodies: which bytes they are, and how they are read.
 *
 * Every chunk is read into a buffer of its own, because the wire queues buffers without copying them. Contract section 3.
 *
 * @module
 */

import type { Files } from "../exchange.ts";
import { EventError } from "../spec/errors.ts";
import type { HttpResponseBodyEvent, ReadableHandle } from "../spec/events.ts";

/** Bytes read at a time: with a quarter of it a file costs a third more. */
const CHUNK = 262_144;

/** An opened body: its length where that is known, and its chunks. */
export interface FileBody {
  /** Bytes, -1 where the source does not tell. */
  readonly length: number;
  /** The next chunk, `null` at the end. */
  next(): Promise<Uint8Array | null>;
  /** Closes what the server opened. */
  close(): void;
}

/**
 * Checks which of the three body forms an event has.
 *
 * @returns True for `file` and `fh`.
 * @throws {EventError} Where two are given, or a field has the wrong type.
 */
export function isFileBody(event: HttpResponseBodyEvent): boolean {
  const { body, file, fh } = event as { body?: unknown; file?: unknown; fh?: unknown };
  if (file === undefined && fh === undefined) return false;
  if (body !== undefined || (file !== undefined && fh !== undefined)) {
    throw new EventError(event.type, "body", "must come alone: body, file and fh exclude each other");
  }
  const { offset, length } = event as { offset?: unknown; length?: unknown };
  toCount(offset, event.type, "offset");
  toCount(length, event.type, "length");
  if (file !== undefined) {
    if (typeof file !== "string" || !isAbsolute(file)) throw new EventError(event.type, "file", "must be an absolute path");
  } else if (!isReadable(fh)) {
    throw new EventError(event.type, "fh", "must be an open file: an object with read()");
  } else if (offset !== undefined && typeof fh.seek !== "function") {
    throw new EventError(event.type, "fh", "must have seek() where offset is given");
  }
  return true;
}

/**
 * Opens a file body that {@linkcode isFileBody} has checked.
 *
 * @throws What the file system says, or what the handle throws: the `send` rejects with it.
 */
export async function openFileBody(event: HttpResponseBodyEvent, files: Files): Promise<FileBody> {
  const { offset, length } = event as { offset?: number; length?: number };
  if (event.fh !== undefined) return await openHandle(event.fh, offset, length ?? Infinity);
  const file = await files.open(event.file!);
  const start = Math.min(offset ?? 0, file.size);
  const end = Math.min(start + (length ?? Infinity), file.size);
  let at = start;
  return {
    length: end - start,
    async next() {
      if (at >= end) return null;
      const buffer = new Uint8Array(Math.min(CHUNK, end - at));
      const count = await file.read(buffer, at);
      if (count === 0) throw new Error(`The file shrank while it was sent: ${event.file}`);
      at += count;
      return count === buffer.byteLength ? buffer : buffer.subarray(0, count);
    },
    close: () => file.close(),
  };
}

/** The first chunk is read here, so that a bad handle rejects the `send` before the head has left. */
async function openHandle(handle: ReadableHandle, offset: number | undefined, length: number): Promise<FileBody> {
  if (offset !== undefined) await handle.seek!(offset, 0);
  let left = length;
  const read = async (): Promise<Uint8Array | null> => {
    if (left <= 0) return null;
    const buffer = new Uint8Array(Math.min(CHUNK, left));
    const count = await handle.read(buffer);
    if (count === null || count === 0) return null;
    if (!Number.isInteger(count) || count < 0 || count > buffer.byteLength) {
      throw new TypeError(
        `The fh's read() must give the number of bytes that it read, at most ${buffer.byteLength}, or null: got ${count}`,
      );
    }
    left -= count;
    return count === buffer.byteLength ? buffer : buffer.subarray(0, count);
  };
  let first: Uint8Array | null | undefined = await read();
  return {
    length: -1,
    next() {
      if (first === undefined) return read();
      const chunk = first;
      first = undefined;
      return Promise.resolve(chunk);
    },
    close() {},
  };
}

function toCount(value: unknown, event: string, field: string): void {
  if (value === undefined || (typeof value === "number" && Number.isSafeInteger(value) && value >= 0)) return;
  throw new EventError(event, field, "must be a non-negative integer");
}

function isReadable(fh: unknown): fh is ReadableHandle {
  return fh !== null && typeof fh === "object" && typeof (fh as Partial<ReadableHandle>).read === "function";
}

function isAbsolute(path: string): boolean {
  return path.startsWith("/") || /^[A-Za-z]:[\\/]/.test(path) || path.startsWith("\\\\");
}
