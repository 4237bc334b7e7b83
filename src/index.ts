/** foliofs for Node: the browser's entry, and the core for shared memory. */
import { RELEASE_SHARED_TEXT } from "./wasm/core-binary-shared.ts";
import { registerCore } from "./wasm/core-module.ts";

export * from "./index-browser.ts";

registerCore(true, RELEASE_SHARED_TEXT);
