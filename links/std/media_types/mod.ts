/**
 * `@std/media-types` from npm, with the signatures of the functions that this project uses.
 *
 * @module
 */

import { contentType as contentTypeImpl } from "deno-std/media_types/content_type.js";
import { typeByExtension as typeByExtensionImpl } from "deno-std/media_types/type_by_extension.js";

/** The whole content type of an extension or a media type, with its charset. */
export const contentType: (extensionOrType: string) => string | undefined = contentTypeImpl;
/** The media type of an extension. */
export const typeByExtension: (extension: string) => string | undefined = typeByExtensionImpl;
