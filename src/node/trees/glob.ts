/**
 * glob in its three forms. In which order results come is not said; none comes twice.
 *
 * Does not own: the walk (glob-walk.ts), patterns (glob-pattern.ts).
 * @see Node 26 documentation, fs.glob(), fs.globSync(), fsPromises.glob()
 */
import type { Syscalls } from "../../vfs/syscalls.ts";
import type { Dirent as DirentType } from "../dirent.ts";
import type { SharedParts } from "../index.ts";
import { toAbsolute } from "../operations/absolute-path.ts";
import { soon1, soon2 } from "../settle.ts";
import { type Origin, withinForm } from "../stacks.ts";
import { checkCallback } from "../validators.ts";
import { toGlobOptions, toPatterns } from "./glob-options.ts";
import { createMatcher, type MatcherClass } from "./glob-pattern.ts";
import { GlobWalk } from "./glob-walk.ts";
import { runNow, runWaiting } from "./steps.ts";

type Match = string | DirentType;

/** glob, globSync and promises.glob on the system calls of a task. @param Minimatch the library's class */
export function globForms(sys: Syscalls, Minimatch: MatcherClass, { whileWaiting: waiting, Dirent }: SharedParts) {
  function prepare(patterns: unknown, options: unknown): GlobWalk {
    const given = toGlobOptions(options, Minimatch, (path) => toAbsolute(sys, path));
    const alternatives = toPatterns(patterns).flatMap((pattern) => createMatcher(Minimatch, pattern).set);
    return new GlobWalk(sys, given, alternatives, Dirent);
  }

  function globSync(patterns: unknown, options?: unknown): Match[] {
    const walk = withinForm(globSync, () => prepare(patterns, options));
    while (!walk.isDone) runNow(walk.visit(), globSync);
    return walk.take();
  }

  async function collect(walk: GlobWalk, form: Origin): Promise<Match[]> {
    while (!walk.isDone) await runWaiting(walk.visit(), form, waiting);
    return walk.take();
  }

  function glob(patterns: unknown, options: unknown, callback: unknown): void {
    const done = typeof options === "function" ? options : callback;
    const walk = withinForm(glob, () => {
      checkCallback(done, "cb");
      return prepare(patterns, typeof options === "function" ? undefined : options);
    });
    collect(walk, glob).then(
      (matches) => soon2(done as never, null, matches),
      (error) => soon1(done as never, error),
    );
  }

  async function* promisesGlob(patterns: unknown, options?: unknown): AsyncGenerator<Match, void, undefined> {
    const walk = withinForm(promisesGlob, () => prepare(patterns, options));
    while (!walk.isDone) {
      await runWaiting(walk.visit(), promisesGlob, waiting);
      yield* walk.take();
    }
  }

  return { glob, globSync, promisesGlob };
}
