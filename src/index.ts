/** foliofs for Node: the browser's entry, the core for shared memory, and what file systems with a store need. */
import { registerMmap } from "./index-mmap.ts";
import { announce } from "./index-top.ts";
import { registerTrees } from "./index-trees.ts";
import { registerStoreSupport } from "./vfs/store-support.ts";
import { RELEASE_SHARED_TEXT } from "./wasm/core-binary-shared.ts";
import { registerCore } from "./wasm/core-module.ts";
import { textToCore } from "./wasm/core-text.ts";

export * from "./index-browser.ts";

registerCore(true, () => textToCore(RELEASE_SHARED_TEXT));
registerStoreSupport();
registerMmap();
registerTrees();
announce();
