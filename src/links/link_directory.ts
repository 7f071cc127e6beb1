/**
 * The directories of links: whose they are stands in their names, so that those of dead servers can be swept.
 *
 * @module
 */

/** What every name begins with. */
export const LINK_DIRECTORY_PREFIX = "pagi-link-";

/** Makes a directory that only this user may enter, and says where it is. */
export function makeLinkDirectory(): Promise<string> {
  return Deno.makeTempDir({ prefix: `${LINK_DIRECTORY_PREFIX}${Deno.pid}-` });
}
