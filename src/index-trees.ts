/**
 * cp, glob and openAsBlob, as a part of their own (wasm/core-module.ts). Node's entry brings it; in browsers it is `foliofs/trees`.
 *
 * minimatch, which Node too has inside, goes into the bundles that have this part when they are built.
 */
import { Minimatch } from "minimatch";
import { registerFacePart } from "./index-face-parts.ts";
import type { MatcherClass } from "./node/trees/glob-pattern.ts";
import { treeForms } from "./node/trees/index.ts";
import { registerPart } from "./wasm/core-module.ts";

/** For entry points. */
export function registerTrees(): void {
  registerPart("minimatch", Minimatch);
  registerFacePart("trees", (sys, ops, shared) => treeForms(sys, ops, shared, Minimatch as unknown as MatcherClass));
}
