/**
 * Watching, as a part of its own (wasm/core-module.ts). Node's entry brings it; in browsers it is `foliofs/watch`.
 *
 * Patterns of `ignore` are matched by minimatch, which comes with trees (index-trees.ts): without them, there are regular
 * expressions and functions.
 */
import { registerFacePart } from "./index-face-parts.ts";
import { methodNotImplementedError } from "./node/errors.ts";
import { createMatcher, type MatcherClass } from "./node/trees/glob-pattern.ts";
import type { CompilePattern } from "./node/watch/ignore.ts";
import { watchForms } from "./node/watch/index.ts";
import { inotifyAddWatch } from "./vfs/inotify.ts";
import type { Task } from "./vfs/task.ts";
import { partNamed } from "./wasm/core-module.ts";

/** One without a slash is matched with the last part of names. */
const NAME_ALONE = Object.freeze({ matchBase: true });

/** @throws ERR_METHOD_NOT_IMPLEMENTED without trees */
export const compilePattern: CompilePattern = (pattern) => {
  const Minimatch = partNamed("minimatch") as MatcherClass | undefined;
  if (Minimatch === undefined)
    throw methodNotImplementedError('fs.watch() with a pattern to ignore, without import "foliofs/trees",');
  const matcher = createMatcher(Minimatch, pattern, NAME_ALONE);
  return (filename) => matcher.match(filename);
};

/** For entry points. */
export function registerWatch(): void {
  registerFacePart("watch", (sys, ops) =>
    watchForms(sys, ops, (...args) => inotifyAddWatch(sys as Task, ...args), compilePattern),
  );
}
