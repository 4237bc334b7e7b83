/**
 * Watching, as a part of its own (wasm/core-module.ts). Node's entry brings it; in browsers it is `foliofs/watch`.
 *
 * Patterns of `ignore` are matched by what Node itself has for it; where there is none, only regular expressions and
 * functions can be given.
 */
import { registerFacePart } from "./index-face-parts.ts";
import { methodNotImplementedError } from "./node/errors.ts";
import { builtinModule } from "./node/platform.ts";
import type { CompilePattern } from "./node/watch/ignore.ts";
import { watchForms } from "./node/watch/index.ts";
import { inotifyAddWatch } from "./vfs/inotify.ts";
import type { Task } from "./vfs/task.ts";

interface PathModule {
  matchesGlob?(path: string, pattern: string): boolean;
  basename(path: string): string;
}

const compilePattern: CompilePattern = (pattern) => {
  const path = builtinModule<PathModule>("node:path");
  const { matchesGlob } = path ?? {};
  if (path === undefined || matchesGlob === undefined)
    throw methodNotImplementedError("fs.watch() with a pattern to ignore");
  const hasSlash = pattern.includes("/");
  return (filename) => matchesGlob(hasSlash ? filename : path.basename(filename), pattern);
};

/** For entry points. */
export function registerWatch(): void {
  registerFacePart("watch", (sys, ops) =>
    watchForms(sys, ops, (...args) => inotifyAddWatch(sys as Task, ...args), compilePattern),
  );
}
