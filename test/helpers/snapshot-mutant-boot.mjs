/** Starts the worker in TypeScript. */
import { register } from "tsx/esm/api";

register();
await import("./snapshot-mutant-worker.ts");
