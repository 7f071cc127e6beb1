/**
 * What is in a folder, and the page that shows it.
 *
 * @module
 */

import { isHidden, locate } from "./directory_path.ts";
import { join, relative } from "@std/path";

/** One line of a listing. */
export interface Entry {
  /** The last part of its path. */
  readonly name: string;
  /** A directory, or a link to one. */
  readonly isDirectory: boolean;
  /** Bytes of a file. */
  readonly size: number;
  /** Where the system tells. */
  readonly modified: Date | null;
}

/** Files looked at in one go: enough to be quick, few enough for any limit of open files. */
const BATCH = 64;
const UNITS = ["B", "kB", "MB", "GB", "TB"];
const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

const STYLE = `
  :root { color-scheme: light dark; --line: light-dark(#e3e6ea, #33383f); --dim: light-dark(#5c6570, #a3acb8); }
  body { max-width: 54rem; margin: 2.5rem auto; padding: 0 1.25rem; font: 16px/1.5 system-ui, sans-serif; }
  h1 { font-size: 1.35rem; font-weight: 600; overflow-wrap: anywhere; }
  table { width: 100%; border-collapse: collapse; }
  th { text-align: left; font-size: .8rem; font-weight: 500; color: var(--dim); }
  th, td { padding: .4rem .5rem; border-bottom: 1px solid var(--line); }
  td:first-child { overflow-wrap: anywhere; }
  td:not(:first-child), th:not(:first-child) { text-align: right; white-space: nowrap; color: var(--dim); font-variant-numeric: tabular-nums; }
  a { text-decoration: none; } a:hover, a:focus-visible { text-decoration: underline; }
  p { color: var(--dim); }`;

/**
 * Reads a folder: directories first, each by name; without hidden names, devices, and links that lead out of the root.
 *
 * @param root The real path of the root.
 * @param folder The real path of the folder.
 */
export async function readListing(root: string, folder: string): Promise<Entry[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) if (!isHidden(name)) names.push(name);
  const entries: Entry[] = [];
  for (let at = 0; at < names.length; at += BATCH) {
    const batch = await Promise.all(names.slice(at, at + BATCH).map((name) => look(root, folder, name)));
    for (const entry of batch) if (entry !== null) entries.push(entry);
  }
  const { compare } = new Intl.Collator("en", { numeric: true });
  return entries.sort((a, b) => Number(b.isDirectory) - Number(a.isDirectory) || compare(a.name, b.name) || (a.name < b.name ? -1 : 1));
}

/** The page of a folder whose names from the root are given. */
export function listingPage(names: readonly string[], entries: readonly Entry[]): string {
  const title = escapeHtml(`/${names.map((name) => `${name}/`).join("")}`);
  const up = names.length > 0 ? `\n      <tr><td><a href="../">../</a></td><td></td><td></td></tr>` : "";
  const count = entries.length === 0 ? "\n  <p>Nothing is here.</p>" : "";
  return `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Index of ${title}</title>
  <style>${STYLE}
  </style>
</head>
<body>
  <h1>Index of ${title}</h1>
  <table>
    <thead><tr><th scope="col">Name</th><th scope="col">Size</th><th scope="col">Modified (UTC)</th></tr></thead>
    <tbody>${up}${entries.map(row).join("")}
    </tbody>
  </table>${count}
</body>
</html>
`;
}

/** Text that is safe between tags and in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

async function look(root: string, folder: string, name: string): Promise<Entry | null> {
  // What vanishes meanwhile, may not be read or leads out of the root is not shown.
  const found = await locate(root, [relative(root, join(folder, name))]);
  if (typeof found === "number") return null;
  return { name, isDirectory: found.info.isDirectory, size: found.info.size, modified: found.info.mtime };
}

function row({ name, isDirectory, size, modified }: Entry): string {
  const shown = isDirectory ? `${name}/` : name;
  const href = isDirectory ? `${encodeURIComponent(name.toWellFormed())}/` : encodeURIComponent(name.toWellFormed());
  const when = modified === null
    ? ""
    : `<time datetime="${modified.toISOString()}">${modified.toISOString().slice(0, 16).replace("T", " ")}</time>`;
  return `\n      <tr><td><a href="./${escapeHtml(href)}">${escapeHtml(shown)}</a></td><td>${
    isDirectory ? "–" : bytes(size)
  }</td><td>${when}</td></tr>`;
}

function bytes(size: number): string {
  let unit = 0;
  let value = size;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${size} B` : `${value.toFixed(1)} ${UNITS[unit]}`;
}
