/**
 * Parts of a face beside streams, each with its functions (wasm/core-module.ts): faces ask for one part, which has what all
 * that entries have brought so far makes.
 */
import type { FacePart, SharedParts } from "./node/index.ts";
import type { Operations } from "./node/operations/index.ts";
import type { Syscalls } from "./vfs/syscalls.ts";
import { partNamed, registerPart } from "./wasm/core-module.ts";

const NAMES = ["trees", "watch"] as const;

const all: FacePart = (sys: Syscalls, ops: Operations, shared: SharedParts) => {
  const made = NAMES.map((name) => (partNamed(name) as FacePart | undefined)?.(sys, ops, shared));
  return Object.assign({}, ...made, { promises: Object.assign({}, ...made.map((one) => one?.promises)) });
};

/** For entry points. */
export function registerFacePart(name: (typeof NAMES)[number], part: FacePart): void {
  registerPart(name, part);
  registerPart("face", all);
}
