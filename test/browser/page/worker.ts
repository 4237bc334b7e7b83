/** The worker: the same suite on a file system made synchronously. */
import { createFsSync } from "foliofs";
import { runAll } from "./run.ts";

runAll(createFsSync()).then((outcome) => postMessage(outcome));
