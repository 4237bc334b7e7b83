/**
 * foliofs: a fast in-memory file system with the face of node:fs. This entry has the single-threaded core inside; the
 * entry "foliofs/shared" adds the one for shared memory.
 */
export * from "./bare.ts";

// Last, and so in the bundle: what is written in JavaScript then has gzip's window to itself.
import { RELEASE_TEXT } from "./wasm/core-binary.ts";
import { registerCore } from "./wasm/core-module.ts";
import { textToCore } from "./wasm/core-text.ts";

registerCore(false, () => textToCore(RELEASE_TEXT));
