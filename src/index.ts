/** foliofs for Node: the browser's entry, the core for shared memory, what file systems with a store need, and watching. */
import { registerParts } from "./index-parts.ts";
import { announce } from "./index-top.ts";
import { registerWatch } from "./index-watch.ts";
import { RELEASE_SHARED_TEXT } from "./wasm/core-binary-shared.ts";
import { registerCore } from "./wasm/core-module.ts";
import { textToCore } from "./wasm/core-text.ts";

export * from "./index-browser.ts";

registerCore(true, () => textToCore(RELEASE_SHARED_TEXT));
registerParts();
registerWatch();
announce();
