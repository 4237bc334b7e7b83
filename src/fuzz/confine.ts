/**
 * Keeps calls below a folder where the process has no root of its own: whoever is not root cannot have one.
 *
 * Each path is walked before the call, link by link, as the kernel will walk it. Nothing changes in between, since one
 * process works in the folder. What would leave it, or name the folder itself, is not called.
 */
import type { MayCall, NodeFs } from "./perform.ts";

const MAX_LINKS = 40;
/** Of the folder itself these may be asked. */
const HARMLESS = new Set(["stat", "lstat", "access", "exists", "readdir", "readdirTypes", "realpath", "realpathJs"]);

/**
 * @param folder real path, without a slash at its end
 * @param cwd tells where relative paths begin; throws when that directory has been removed
 */
export function confine(fs: NodeFs, folder: string, cwd: () => string): MayCall {
  const inside = latin1(folder);
  return (call, paths) =>
    paths.every((path) => {
      const end = endOf(fs, inside, latin1(path), cwd);
      return end !== undefined && (end !== inside || HARMLESS.has(call) || call === "chdir");
    });
}

/** One character a byte: paths are bytes. */
function latin1(path: string | Buffer): string {
  return (typeof path === "string" ? Buffer.from(path) : path).toString("latin1");
}

/** Where a path leads to, or as far as there is something; undefined where it leaves the folder, or may. */
function endOf(fs: NodeFs, folder: string, path: string, cwd: () => string): string | undefined {
  let at = start(folder, path, cwd);
  if (at === undefined) return undefined;
  let rest = path.startsWith("/") ? path.slice(folder.length) : path;
  for (let links = 0; ; ) {
    rest = rest.replace(/^\/+/, "");
    if (rest === "") return at;
    const [name] = rest.split("/", 1);
    rest = rest.slice(name.length);
    if (name === ".") continue;
    if (name === "..") {
      if (at === folder) return undefined;
      at = at.slice(0, at.lastIndexOf("/"));
      continue;
    }
    const target = linkTarget(fs, `${at}/${name}`);
    if (target === undefined) {
      at = `${at}/${name}`;
      continue;
    }
    if (++links > MAX_LINKS) return undefined;
    if (target.startsWith("/")) {
      if (!isBelow(folder, target)) return undefined;
      at = folder;
      rest = target.slice(folder.length) + rest;
    } else rest = target + rest;
  }
}

function start(folder: string, path: string, cwd: () => string): string | undefined {
  if (path.startsWith("/")) return isBelow(folder, path) ? folder : undefined;
  try {
    const at = latin1(cwd());
    return isBelow(folder, at) ? at : undefined;
  } catch {
    return undefined;
  }
}

function isBelow(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** undefined = it is no link, or not there, or cannot be looked at: then the kernel goes no further either. */
function linkTarget(fs: NodeFs, path: string): string | undefined {
  try {
    return fs.readlinkSync(Buffer.from(path, "latin1"), { encoding: "buffer" }).toString("latin1");
  } catch {
    return undefined;
  }
}
