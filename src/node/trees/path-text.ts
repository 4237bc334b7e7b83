/** Computations on the text of paths that only trees need. */

/** As posix `path.dirname(path)`. */
export function dirname(path: string): string {
  const end = path.replace(/\/+$/, "");
  if (end === "") return path === "" ? "." : "/";
  const slash = end.lastIndexOf("/");
  if (slash < 0) return ".";
  return end.slice(0, slash).replace(/\/+$/, "") || "/";
}

/** Whether `path` is `directory` or lies below it. Precondition: both are absolute, without `.` and `..` */
export function isWithin(directory: string, path: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}
