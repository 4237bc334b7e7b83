/** Adds the core for shared memory: import "foliofs/shared" before createFsSync({ shared: true }) in a browser. */
import { RELEASE_SHARED_TEXT } from "./wasm/core-binary-shared.ts";
import { registerCore } from "./wasm/core-module.ts";
import { textToCore } from "./wasm/core-text.ts";

registerCore(true, () => textToCore(RELEASE_SHARED_TEXT));
