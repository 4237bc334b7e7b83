/**
 * Constants that `asconfig.json` hands to the compiler (`--use NAME=value`), declared for editors only: asc never reads
 * this file, and source refers to them without an import. A branch on one of them is decided at compile time, so
 * `if (DEBUG) assert(...)` and `if (SHARED) ...` leave nothing behind in the builds where they are 0.
 */

/** 1 in the debug build, else 0. */
declare const DEBUG: i32;
/** 1 in the build for shared memory (threads, atomics), else 0. */
declare const SHARED: i32;
