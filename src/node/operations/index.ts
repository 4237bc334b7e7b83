/**
 * Every operation of a face, each once, over one task's system calls.
 */
import type { Syscalls } from "../../vfs/syscalls.ts";
import { attributeOperations } from "./attributes.ts";
import { copyFileOperations } from "./copy-file.ts";
import { mkdirOperations } from "./mkdir.ts";
import { nameOperations } from "./names.ts";
import { openOperations } from "./open.ts";
import { readFileOperations } from "./read-file.ts";
import { readWriteOperations } from "./read-write.ts";
import { readdirOperations } from "./readdir.ts";
import { realpathOperations } from "./realpath.ts";
import { rmOperations } from "./rm.ts";
import { statOperations } from "./stat.ts";
import { vectorOperations } from "./vectors.ts";
import { writeFileOperations } from "./write-file.ts";

/** All operations on the system calls of a task. */
export function createOperations(sys: Syscalls) {
  return {
    ...attributeOperations(sys),
    ...copyFileOperations(sys),
    ...mkdirOperations(sys),
    ...nameOperations(sys),
    ...openOperations(sys),
    ...readFileOperations(sys),
    ...readWriteOperations(sys),
    ...readdirOperations(sys),
    ...realpathOperations(sys),
    ...rmOperations(sys),
    ...statOperations(sys),
    ...vectorOperations(sys),
    ...writeFileOperations(sys),
  };
}

/** The operations of one task, by name. */
export type Operations = ReturnType<typeof createOperations>;
