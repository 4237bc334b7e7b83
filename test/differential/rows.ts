/** Which functions the tables drive, and which there are: each must have a row. */
import { type Case, handleMethod } from "./case.ts";
import { COMBINED_ROWS } from "./streams/combined.ts";
import { UTF8_SCRIPTS } from "./streams/utf8-scripts.ts";
import { EVERY_CASE } from "./tables/all.ts";
import { CP_CASES } from "./trees/cp-cases.ts";
import { GLOB_CASES } from "./trees/glob-cases.ts";

type Row = Pick<Case, "fn" | "form" | "covers">;

/** The name of the function that a case calls: `statSync`, `stat`, `promises.stat`, `FileHandle.stat`. */
function calledBy({ fn, form }: Row): string {
  if (form === "sync") return fn.replace(/^\w+/, "$&Sync");
  if (form === "handle") return `FileHandle.${handleMethod(fn)}`;
  return form === "promise" ? `promises.${fn}` : fn;
}

/** A case of one call names its function; one of several says what it is about. */
function namesOf(test: Row): readonly string[] {
  return test.covers ?? [calledBy(test)];
}

/** Names of all functions that the tables have a row for. */
export function functionsWithRow(): Set<string> {
  const trees = [...CP_CASES, ...GLOB_CASES].map(({ call, form }): Row => ({ fn: call, form }));
  const streams = COMBINED_ROWS.map(({ fn }) => fn);
  const utf8 = UTF8_SCRIPTS.map(() => "Utf8Stream");
  return new Set([...EVERY_CASE, ...trees].flatMap(namesOf).concat(streams, utf8));
}

/** Names as functionsWithRow() has them, of all functions and methods that a node:fs has. */
export function functionsOf(shapes: {
  readonly fs: readonly string[];
  readonly promises: readonly string[];
  readonly classes: { readonly Dir: { prototypes: readonly string[] }; readonly FileHandle: { prototype: string } };
}): string[] {
  const functions = (lines: readonly string[]): string[] =>
    lines.filter((line) => line.includes(": function ")).map((line) => line.split(":")[0]);
  const members = (line: string): string[] => {
    const [name, list] = line.split(": ");
    const own = list.split(",").filter((member) => member !== "constructor");
    return own.map((member) => `${name}.${member}`);
  };
  return [
    ...functions(shapes.fs),
    ...functions(shapes.promises).map((name) => `promises.${name}`),
    ...members(shapes.classes.FileHandle.prototype),
    ...members(shapes.classes.Dir.prototypes[0]),
    "FileHandle.close",
    "realpath.native",
    "realpathSync.native",
  ];
}
