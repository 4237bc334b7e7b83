/**
 * cp, glob and openAsBlob, as a part of their own (wasm/core-module.ts). Node's entry brings it; in browsers it is `foliofs/trees`.
 *
 * minimatch, which Node too has inside, goes into the bundles that have this part when they are built.
 */
import { Minimatch } from "minimatch";
import type { SharedParts } from "./node/index.ts";
import type { Operations } from "./node/operations/index.ts";
import type { MatcherClass } from "./node/trees/glob-pattern.ts";
import { treeForms } from "./node/trees/index.ts";
import type { Syscalls } from "./vfs/syscalls.ts";
import { registerPart } from "./wasm/core-module.ts";

/** For entry points. */
export function registerTrees(): void {
  registerPart("trees", (sys: Syscalls, ops: Operations, shared: SharedParts) =>
    treeForms(sys, ops, shared, Minimatch as unknown as MatcherClass),
  );
}
