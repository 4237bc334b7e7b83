/** What works tell of trees and errors, in a form that two runs can be compared by. */
import { createHash } from "node:crypto";
import { join } from "node:path";

/** Digest of bytes, short. */
export const digest = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

const KINDS = {
  File: "-",
  Directory: "d",
  SymbolicLink: "l",
  FIFO: "p",
  Socket: "s",
  CharacterDevice: "c",
  BlockDevice: "b",
};

/** An error's properties, in their order; not the objects that programs put there. */
export function errorOf(error) {
  const own = Object.entries(error).filter(([, value]) => typeof value !== "object");
  return { name: error.name, message: error.message, ...Object.fromEntries(own) };
}

/** What a function throws, or its promise is rejected with. @returns "none" when it succeeds */
export async function failureOf(action) {
  try {
    await action();
    return "none";
  } catch (error) {
    return errorOf(error);
  }
}

/** The time, unless it is one of this run: a program took it from the clock, not from what it was told. */
const timeOf = (ms) => (ms > performance.timeOrigin - 60_000 && ms < Date.now() + 60_000 ? "now" : String(ms));

/** What an action gives, or the code of its error. */
function readable(action) {
  try {
    return action();
  } catch (error) {
    return error.code;
  }
}

/**
 * All below a directory, a line each: mode, owner, links, size, time of modification, path, contents; what may not be
 * read has the error's code there.
 */
export function treeOf(fs, directory, { times = true } = {}) {
  const lines = [];
  /** First path of each inode with several links. */
  const paths = new Map();
  const visit = (path, name) => {
    const stat = fs.lstatSync(path);
    const kind = Object.entries(KINDS).find(([is]) => stat[`is${is}`]())[1];
    const mode = (stat.mode & 0o7777).toString(8).padStart(4, "0");
    const mtime = times ? [timeOf(stat.mtimeMs)] : [];
    const fields = [kind + mode, `${stat.uid}:${stat.gid}`, stat.nlink, stat.size, ...mtime, name];
    const first = kind !== "d" && stat.nlink > 1 ? (paths.get(stat.ino) ?? "") : "";
    if (kind !== "d") paths.set(stat.ino, first || name);
    if (first) fields.push("=", first);
    else if (kind === "-") fields.push(readable(() => digest(fs.readFileSync(path))));
    if (kind === "l") fields.push("->", fs.readlinkSync(path));
    lines.push(fields.join(" "));
    if (kind !== "d") return;
    const children = readable(() => fs.readdirSync(path));
    if (Array.isArray(children)) for (const child of children) visit(join(path, child), join(name, child));
    else lines.push(`${name}: ${children}`);
  };
  visit(directory, ".");
  return lines;
}
