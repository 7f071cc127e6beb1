/**
 * What of a configuration only the engine `node` can do.
 *
 * Rows of the options table say it themselves (`only`); the rest depends on the listeners.
 *
 * @module
 */

import type { ListenerSettings } from "../engines/listener_settings.ts";
import { listenText } from "./listeners.ts";
import { type Option, OPTION_KEYS, type OptionKey, OPTIONS, type ServeOptions } from "./options.ts";

/**
 * Each as the option that asks for it, in the order of the table; empty where any engine will do.
 *
 * @param name How an option is called in messages.
 */
export function nodeNeeds(options: ServeOptions, listeners: readonly ListenerSettings[], name: (key: OptionKey) => string): string[] {
  const needs: string[] = [];
  for (const key of OPTION_KEYS) {
    const option = OPTIONS[key] as Option<unknown>;
    const given = (options as Readonly<Record<string, unknown>>)[key];
    if (option.only === "node" && given !== undefined && given !== option.unless) needs.push(name(key));
  }
  if ([options.sslCert ?? []].flat().length > 1) needs.push(`more than one ${name("sslCert")}`);
  for (const { at, proxyProtocol, backlog } of listeners) {
    if (at.kind === "fd") needs.push(`${name("listen")} ${listenText(at)}`);
    else if (proxyProtocol && options.proxyProtocol !== true) needs.push(`${name("listen")} ${listenText(at)},proxy`);
    else if (backlog !== undefined && at.kind === "unix") needs.push(`${name("listenerBacklog")} with a Unix socket`);
  }
  return needs;
}

/**
 * Limits that only `node` has and that are given as none, which other engines do anyway: each as the option and its value.
 *
 * @param name How an option is called in messages.
 */
export function nodeNones(options: ServeOptions, name: (key: OptionKey) => string): string[] {
  return OPTION_KEYS.filter((key) => {
    const { only, unless } = OPTIONS[key] as Option<unknown>;
    return only === "node" && unless === 0 && (options as Readonly<Record<string, unknown>>)[key] === 0;
  }).map((key) => `${name(key)} 0`);
}
