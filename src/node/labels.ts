/**
 * `name` and `length` of the functions of a face. Derived functions share a few bodies; callers and stack traces see
 * Node's names and numbers of parameters all the same.
 */
type Lengths = Readonly<Record<number, string>>;

/** Functions whose `length` in Node is not that of the body they are derived from. */
export const SURFACE_LENGTHS: Lengths = {
  1: "fdatasyncSync fstat fstatSync fsyncSync ftruncate ftruncateSync lstat lstatSync stat statSync statfs statfsSync",
  2: "fchmodSync mkdtempSync readlinkSync realpathSync rmdirSync truncateSync",
  3: "chownSync copyFileSync fchownSync futimesSync lchownSync lutimesSync symlinkSync utimesSync",
};

export const PROMISE_LENGTHS: Lengths = {
  1: "access truncate lstat stat statfs unlink",
  2: "rename rmdir mkdir readdir readlink link chmod lchmod realpath mkdtemp",
  3: "copyFile opendir symlink lchown chown utimes lutimes",
};

/** Puts its key into the `name` of every function, and the length listed for it, if any, into `length`. */
export function labelAll<T extends object>(surface: T, lengths: Lengths): T {
  for (const [name, value] of Object.entries(surface)) {
    if (typeof value !== "function" || /^[A-Z]/.test(name)) continue;
    Object.defineProperty(value, "name", { value: name, configurable: true });
  }
  for (const [length, names] of Object.entries(lengths)) {
    for (const name of names.split(" ")) {
      const value = (surface as Record<string, unknown>)[name];
      Object.defineProperty(value, "length", { value: Number(length), configurable: true });
    }
  }
  return surface;
}
