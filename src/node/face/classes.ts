/** Classes of a face: to tell what something is, not to make it. */
import type { Dir, Dirent } from "./dir.ts";
import type { Stats } from "./stats.ts";

type ClassOf<Instance> = abstract new (...args: never) => Instance;

export interface ClassFace {
  readonly Dir: ClassOf<Dir>;
  readonly Dirent: ClassOf<Dirent>;
  readonly Stats: ClassOf<Stats>;
}
