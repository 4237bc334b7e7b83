/** How the classes of node:fs are called and extended: with `new`, without it, and by classes of the old kind. */
import { inherits } from "node:util";
import type { Case, Context } from "../case.ts";
import { type FreeProgram, program, steps } from "./programs.ts";

type Callable = (this: unknown, ...args: unknown[]) => unknown;

const NUMBERS = [1, 0o100644, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];

/** A class as people wrote them before there were classes, whose constructor calls its parent's. */
function oldClass(Parent: object): new (...args: unknown[]) => Record<PropertyKey, unknown> {
  function Old(this: object, ...args: unknown[]): void {
    (Parent as Callable).call(this, ...args);
  }
  inherits(Old, Parent as never);
  return Old as never;
}

function shown(stats: object): unknown[] {
  const of = stats as { isFile(): boolean; mtime: unknown };
  return [Object.entries(stats), of.isFile(), of.mtime, String(stats)];
}

const STATS_PROGRAMS: Record<string, FreeProgram> = {
  "a Stats object made without new": ({ fs }: Context) =>
    steps(
      () => {
        const old = new (oldClass(fs.Stats))(...NUMBERS);
        return [...shown(old), old instanceof fs.Stats];
      },
      () => {
        class Young extends (fs.Stats as unknown as new () => object) {}
        const young = Reflect.construct(Young, NUMBERS);
        return [...shown(young), young instanceof fs.Stats, Object.getPrototypeOf(young) === Young.prototype];
      },
      () => shown(Reflect.construct(fs.Stats, NUMBERS)),
      () => (fs.Stats as unknown as Callable)(...NUMBERS),
      () => (fs.Stats as unknown as Callable).call(5, ...NUMBERS),
    ),
  "classes of the old kind": ({ fs }: Context) =>
    steps(
      () => new (oldClass(fs.Dirent))("name", 1, "/"),
      () => new (oldClass(fs.Dir))(null, "/", {}),
      () => (fs.Dirent as unknown as Callable)("name", 1, "/"),
      () => (fs.Dir as unknown as Callable)(),
    ),
  "a Stats object has its class": ({ fs, path }: Context) =>
    steps(() => {
      const stats = fs.statSync(path("file"));
      return [stats instanceof fs.Stats, stats.constructor.name, Object.getPrototypeOf(stats) === fs.Stats.prototype];
    }),
};

export const CLASS_CASES: readonly Case[] = Object.entries(STATS_PROGRAMS).map(([name, run]) => ({
  ...program(name, run, "data"),
  covers: ["Stats"],
}));
