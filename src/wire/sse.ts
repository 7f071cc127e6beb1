/**
 * The text of server-sent events. HTML standard, "Server-sent events"; contract section 6.
 *
 * @module
 */

import { EventError } from "../spec/errors.ts";
import type { SseSendEvent } from "../spec/events.ts";

/**
 * One event, with its blank line.
 *
 * @throws {EventError} Where a field would break out of its line.
 */
export function sseEvent(event: SseSendEvent): string {
  const { data, event: name, id, retry } = event;
  if (typeof data !== "string") {
    throw new EventError(event.type, "data", data === undefined ? "is missing: it must be a string" : "must be a string");
  }
  let text = "";
  if (name !== undefined && name !== null) text += line(event.type, "event", name, /[\r\n]/, "CR or LF");
  text += /[\r\n]/.test(data) ? data.split(/\r\n|\n|\r/).map((part) => `data: ${part}\n`).join("") : `data: ${data}\n`;
  if (id !== undefined && id !== null) text += line(event.type, "id", id, /[\r\n\0]/, "CR, LF or NUL");
  if (retry !== undefined && retry !== null) {
    if (!Number.isSafeInteger(retry) || retry < 0) {
      throw new EventError(event.type, "retry", "must be a non-negative integer of milliseconds");
    }
    text += `retry: ${retry}\n`;
  }
  return text + "\n";
}

/** A comment, every line of it behind a colon, with its blank line. */
export function sseComment(text: string): string {
  return text.split(/\r\n|\n|\r/).map((part) => part.startsWith(":") ? part : `:${part}`).join("\n") + "\n\n";
}

function line(type: string, field: string, value: unknown, forbidden: RegExp, names: string): string {
  if (typeof value !== "string") throw new EventError(type, field, "must be a string");
  if (forbidden.test(value)) throw new EventError(type, field, `must not hold ${names}`);
  return value === "" ? "" : `${field}: ${value}\n`;
}
