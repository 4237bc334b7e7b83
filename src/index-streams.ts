/** Streams over files, as a part of its own (wasm/core-module.ts). Node's entry brings it, and foliofs/streams. */
import type { StreamLibrary } from "./node/streams/library.ts";
import { streamsPart } from "./node/streams/part.ts";
import { registerPart } from "./wasm/core-module.ts";

export type { StreamLibrary } from "./node/streams/library.ts";

/** For entry points: faces that are made from now on have streams that stand on `library`. */
export function registerStreams(library: StreamLibrary): void {
  registerPart("streams", streamsPart(library));
}
