/**
 * `@std/http/cookie` from npm, with the signatures that this project uses.
 *
 * @module
 */

import { getCookies as getCookiesImpl, getSetCookies as getSetCookiesImpl, setCookie as setCookieImpl } from "deno-std/http/cookie.js";

/** A cookie. */
export interface Cookie {
  name: string;
  value: string;
  expires?: Date | number;
  maxAge?: number;
  domain?: string;
  path?: string;
  secure?: boolean;
  httpOnly?: boolean;
  sameSite?: "Strict" | "Lax" | "None";
  partitioned?: boolean;
  unparsed?: string[];
}

/** The cookies of a request. */
export const getCookies: (headers: Headers) => Record<string, string> = getCookiesImpl;
/** The cookies that a response sets. */
export const getSetCookies: (headers: Headers) => Cookie[] = getSetCookiesImpl;
/** Adds a set-cookie header. */
export const setCookie: (headers: Headers, cookie: Cookie) => void = setCookieImpl;
