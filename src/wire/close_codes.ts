/**
 * WebSocket close codes and texts. RFC 6455 section 7.4 and its registry.
 *
 * @module
 */

/** Whether an app may send this code. */
export function isCloseCode(code: unknown): code is number {
  if (typeof code !== "number" || !Number.isInteger(code)) return false;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/** What is wrong with a close text, or `null`: a close frame has room for 123 bytes of it. */
export function closeTextProblem(text: string): string | null {
  const bytes = text.length * 3 <= 123 ? 0 : new TextEncoder().encode(text).byteLength;
  return bytes > 123 ? `has ${bytes} bytes: a close frame takes 123` : null;
}
