/** foliofs for Node: the browser's entry, the core for shared memory, and all parts. */
import { registerParts } from "./index-parts.ts";
import { registerStreams, type StreamLibrary } from "./index-streams.ts";
import { announce } from "./index-top.ts";
import { registerTrees } from "./index-trees.ts";
import { registerWatch } from "./index-watch.ts";
import { builtinModule } from "./node/platform.ts";
import { RELEASE_SHARED_TEXT } from "./wasm/core-binary-shared.ts";
import { registerCore } from "./wasm/core-module.ts";
import { textToCore } from "./wasm/core-text.ts";

export * from "./index-browser.ts";

registerCore(true, () => textToCore(RELEASE_SHARED_TEXT));
registerParts();
registerTrees();
registerWatch();
const nodeStreams = builtinModule<StreamLibrary>("node:stream");
if (nodeStreams !== undefined) registerStreams(nodeStreams);
announce();
