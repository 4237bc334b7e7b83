/**
 * What the entries for browsers have in common: one file beside them in what is published, so that a page which loads
 * several has it once. Node's entry has all inside.
 */
export * from "./base/plain-utf8.ts";
export * from "./base/shapes.ts";
export * from "./base/utf8.ts";
export * from "./base/views.ts";
export * from "./node/dirent.ts";
export * from "./node/encoding.ts";
export * from "./node/errors.ts";
export * from "./node/inspect.ts";
export * from "./node/paths.ts";
export * from "./node/platform.ts";
export * from "./node/settle.ts";
export * from "./node/stacks.ts";
export * from "./node/system-errors.ts";
export * from "./node/uv-errors.ts";
export * from "./node/validators.ts";
export * from "./vfs/waiting.ts";
