/** Two file systems that are alike, on one of which allocations of memory fail when they are told to. */
import { createFsSync, type FolioFs } from "../../index.ts";
import { overlay } from "../../layers.ts";
import { KERNEL_BLOCK, KERNEL_FAIL_AFTER } from "../../wasm/layout.ts";
import type { Call, Outcome, TaskSpec } from "../call.ts";
import { type Detail, WHOLE_DETAIL } from "../describe.ts";
import { taskFaceOf } from "../foliofs-face.ts";
import { FIRST_UMASK, type NodeFs, TaskPerformer } from "../perform.ts";
import { describeTree } from "../tree.ts";

export const TWIN_SUBJECT_NAMES = ["tmpfs", "ramfs", "overlay"] as const;
export type TwinSubject = (typeof TWIN_SUBJECT_NAMES)[number];

const LIMIT_BYTES = 64 * 2 ** 20;
const FIRST_MS = 1_600_000_000_000;
const MERGED = "/m";
/** What a call that fails may have touched all the same, or have copied up: nobody is promised otherwise. */
const DETAIL: Detail = { ...WHOLE_DETAIL, atime: false, blocks: false, directorySize: false, directoryLinks: false };
/** Counts of records that somebody holds. */
const COUNTS = ["nr_inodes", "nr_files", "nr_super_blocks", "nr_mounts"] as const;

export class Twin {
  /** Milliseconds. */
  clock = FIRST_MS;
  readonly #fs: FolioFs;
  readonly #subject: TwinSubject;
  readonly #root: string;
  readonly #performers: readonly TaskPerformer[];

  constructor(subject: TwinSubject, tasks: readonly TaskSpec[], isShared: boolean | undefined) {
    this.#subject = subject;
    const root = subject === "ramfs" ? "ramfs" : "tmpfs";
    const options = { memoryLimit: LIMIT_BYTES, shared: isShared === true, root, now: () => this.clock } as const;
    this.#fs = createFsSync(options);
    this.#root = subject === "overlay" ? MERGED : "/";
    if (subject === "overlay") mountOverlay(this.#fs);
    this.#performers = tasks.map(({ uid, gid, groups }) => {
      const face = this.#fs.kernel.task({ uid, gid, groups: [...groups], umask: FIRST_UMASK, root: this.#root });
      return new TaskPerformer(taskFaceOf(face), { root: "", detail: DETAIL });
    });
  }

  perform(call: Call): Outcome {
    return this.#performers[call.task].perform(call);
  }

  /** Performs a call during which the nth allocation fails, and all after it. @param n from 1 on */
  performFailing(call: Call, n: number): Outcome {
    const { core } = this.#fs.kernel.vfs;
    const at = (KERNEL_BLOCK >> 2) + KERNEL_FAIL_AFTER;
    core.u32[at] = n;
    try {
      return this.perform(call);
    } finally {
      core.u32[at] = 0;
    }
  }

  tree(): string {
    const lines = describeTree(this.#fs as unknown as NodeFs, this.#root, DETAIL);
    return (this.#subject === "overlay" ? lines.map(withoutDirectoryTime) : lines).join("\n");
  }

  /** @throws Error when it is broken */
  verify(): void {
    (this.#fs.kernel as { verify?: () => unknown }).verify?.();
  }

  /** What is held when all that is unused has gone, one line a count. */
  counts(): string {
    this.#fs.kernel.dropCaches(3);
    const counts = this.#fs.kernel.vmstat() as unknown as Readonly<Record<string, number>>;
    return COUNTS.map((name) => `${name} ${counts[name]}`).join("\n");
  }

  end(): void {
    this.#fs.kernel.destroy();
  }
}

/** An overlay makes a name in its upper layer first: where there is no memory for the rest then, that is taken back. */
function withoutDirectoryTime(line: string): string {
  return line.replace(/( 4\d{4} .*)mtime=\S+/, "$1");
}

function mountOverlay(fs: FolioFs): void {
  fs.kernel.registerFileSystem(overlay);
  for (const path of ["/l", "/u", "/w", MERGED]) fs.mkdirSync(path);
  for (const path of ["a", "b", "c"]) fs.writeFileSync(`/l/${path}`, Buffer.alloc(10_000, path));
  fs.mkdirSync("/l/d");
  fs.writeFileSync("/l/d/a", "lower");
  fs.kernel.mount({ type: "overlay", target: MERGED, data: "lowerdir=/l,upperdir=/u,workdir=/w" });
}
