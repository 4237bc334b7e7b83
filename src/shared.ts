/** Adds the core for shared memory: import "foliofs/shared" before createFsSync({ shared: true }) in a browser. */
import { RELEASE_SHARED_TEXT } from "./wasm/core-binary-shared.ts";
import { registerCore } from "./wasm/core-module.ts";

registerCore(true, RELEASE_SHARED_TEXT);
