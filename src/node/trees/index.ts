/** What works on whole trees, and Blobs: a part of a face that comes by an entry of its own in browsers. */
import type { Syscalls } from "../../vfs/syscalls.ts";
import type { SharedParts } from "../index.ts";
import type { Operations } from "../operations/index.ts";
import { cpForms } from "./cp.ts";
import { globForms } from "./glob.ts";
import type { MatcherClass } from "./glob-pattern.ts";
import { blobForms } from "./open-as-blob.ts";

/** @param Minimatch the class of the library of that name */
export function treeForms(sys: Syscalls, ops: Operations, shared: SharedParts, Minimatch: MatcherClass) {
  const { promisesCp, ...cp } = cpForms(sys, ops, shared.whileWaiting);
  const { promisesGlob, ...glob } = globForms(sys, Minimatch, shared);
  return {
    ...cp,
    ...glob,
    ...blobForms(sys, ops, shared.whileWaiting),
    promises: { cp: promisesCp, glob: promisesGlob },
  };
}
