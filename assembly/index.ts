// The core's exports: the table of contents of its ABI. Records go by handle (address >> 5), frames by number, results
// are a value >= 0 or a negated errno. Nothing here throws.
export * from "./entry/memory";
export * from "./entry/task";
export * from "./entry/walk";
export * from "./entry/dcache";
export * from "./entry/libfs";
export * from "./entry/file";
export * from "./entry/mount";
export * from "./entry/operation";
export * from "./entry/page-cache";
export * from "./entry/readahead";
export * from "./entry/verify";
