/** The smallest handler for `deno serve`. @module */

export default {
  fetch: () => new Response("Hello, world\n"),
} satisfies Deno.ServeDefaultExport;
