/** foliofs/watch, for browsers: with it, faces that are made later can watch. Node's entry has it. */
import { registerWatch } from "./index-watch.ts";

registerWatch();
