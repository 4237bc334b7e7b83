/** What works on whole trees, and Blobs: a part of a face that comes by an entry of its own in browsers. */
import type { Syscalls } from "../../vfs/syscalls.ts";
import type { Operations } from "../operations/index.ts";
import { cpForms } from "./cp.ts";
import { globForms } from "./glob.ts";
import type { MatcherClass } from "./glob-pattern.ts";
import { blobForms } from "./open-as-blob.ts";

/** @param Minimatch the class of the library of that name */
export function treeForms(sys: Syscalls, ops: Operations, Minimatch: MatcherClass) {
  const { promisesCp, ...cp } = cpForms(sys, ops);
  const { promisesGlob, ...glob } = globForms(sys, Minimatch);
  return { ...cp, ...glob, ...blobForms(sys, ops), promises: { cp: promisesCp, glob: promisesGlob } };
}
