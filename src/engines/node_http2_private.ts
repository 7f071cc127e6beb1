/**
 * What Node keeps under a symbol of its own: the one way to what its public calls do wrong in Deno 2.9.6.
 *
 * @module
 */

/** What an object of `node:http2` has under the symbol of that description; `undefined` where there is none. */
export function ofSymbol<T>(object: object, description: string): T | undefined {
  const key = Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description);
  return key === undefined ? undefined : (object as Record<symbol, T | undefined>)[key];
}
