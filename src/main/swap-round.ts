/**
 * One round within 64 MiB: the tree goes through a tmpfs that may be larger than memory, with a file of the host as swap.
 *
 *   load         what does not fit goes to swap meanwhile
 *   read all     comes back from there, and what came before it goes again
 *   load again   after all of it has been removed: pages in swap are dropped where they lie
 *
 * Names and inodes stay in memory: a tree of so many that they do not fit is left out.
 */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { createFsSync, type FolioFs } from "../index.ts";
import { compareTree, type Mismatch } from "./compare-tree.ts";
import { wrap } from "./foliofs-target.ts";
import type { HostTree } from "./host-tree.ts";
import { loadTree } from "./load-tree.ts";
import type { Stage } from "./progress.ts";
import { damage, type Round, type RoundOptions, type StageName, SWAP_STAGES } from "./run-target.ts";
import { type Sample, sample } from "./sample.ts";
import { Steps } from "./steps.ts";
import type { Skip, Target } from "./target.ts";
import { blockBytes, makeTemporaryFolder, whyNoRoom } from "./temporary-folder.ts";
import { readAll, walkAndStat } from "./walk.ts";

const NAME = "swap";
const MEMORY_LIMIT = 64 * 2 ** 20;
const ROOT = "/tree";
/** What a swap area has room for. */
const MAX_AREA_BYTES = 16 * 2 ** 30;
/** An inode and its name, with what an index of pages and a page that is being written take beside them, at most. */
const NAME_BYTES = 1024;

const SWAPPED = { pswpout: "pages swapped out", pswpin: "pages swapped in" } as const;

/** Can the tree be taken through? @returns why not */
export function whyNoSwap(folder: string, tree: HostTree): string | undefined {
  const nameBytes = tree.entries.reduce((sum, { path }) => sum + path.length, tree.entries.length * NAME_BYTES);
  if (nameBytes > MEMORY_LIMIT / 2) return `${tree.entries.length} names are too many for 64 MiB`;
  if (blockBytes(tree) > MAX_AREA_BYTES) return "the tree is larger than a swap area may be";
  return whyNoRoom(folder, tree);
}

/** A kernel of 64 MiB with an empty tmpfs that has room for the tree, and as much swap. */
function createSwapped(tree: HostTree, folder: string): FolioFs {
  const fs = createFsSync({ memoryLimit: MEMORY_LIMIT, umask: 0 });
  fs.mkdirSync(ROOT);
  const size = blockBytes(tree);
  fs.kernel.mount({ type: "tmpfs", target: ROOT, data: `size=${size},nr_inodes=${tree.entries.length + 1}` });
  fs.kernel.swapOn({ file: `${folder}/swap`, size });
  return fs;
}

/**
 * Runs a round; the swap file is removed, however it ends.
 *
 * @param stage runs a step under the progress bar
 * @throws Error when memory has more than its limit
 */
export function runSwapRound(tree: HostTree, stage: Stage, options: RoundOptions): Round | Skip {
  const reason = whyNoSwap(tmpdir(), tree);
  if (reason !== undefined) return { name: NAME, reason };
  const folder = makeTemporaryFolder(tmpdir());
  try {
    const fs = createSwapped(tree, folder);
    try {
      return new SwapRound(fs, tree, stage, options).run();
    } finally {
      fs.kernel.destroy();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

class SwapRound {
  readonly #fs: FolioFs;
  readonly #tree: HostTree;
  readonly #stage: Stage;
  readonly #options: RoundOptions;
  readonly #target: Target;
  readonly #steps: Steps;
  readonly #samples = new Map<StageName, Sample>();

  constructor(fs: FolioFs, tree: HostTree, stage: Stage, options: RoundOptions) {
    this.#fs = fs;
    this.#tree = tree;
    this.#stage = stage;
    this.#options = options;
    this.#target = wrap(NAME, fs);
    this.#steps = new Steps(fs);
  }

  run(): Round {
    const [target, tree] = [this.#target, this.#tree];
    this.#run("load", (onEntry) => loadTree(target, tree, onEntry));
    const mismatches = this.#compare();
    this.#run("walk + stat", (onEntry) => walkAndStat(target, onEntry));
    this.#run("read all", (onEntry) => readAll(target, tree, onEntry));
    this.#empty();
    this.#run("load again", (onEntry) => loadTree(target, tree, onEntry));
    const { timeResolutionNs } = target;
    const { counters } = this.#steps;
    const facts = { memoryBytes: this.#memoryBytes(), timeResolutionNs, counters, mismatches };
    return { samples: this.#samples, facts: this.#options.compares ? facts : undefined };
  }

  #run(what: keyof typeof SWAP_STAGES, work: (onEntry: (nrEntries: number) => void) => unknown): void {
    const name = SWAP_STAGES[what];
    this.#stage(name, this.#tree.entries.length, (onEntry) => {
      const [taken] = sample(() => work(onEntry));
      this.#samples.set(name, taken);
    });
    this.#memoryBytes();
    this.#steps.end(name, what === "walk + stat" ? {} : SWAPPED);
  }

  /** Bytes of the memory: it grows, and never becomes smaller by itself. */
  #memoryBytes(): number {
    const { memory } = this.#fs.kernel.usage();
    if (memory > MEMORY_LIMIT) throw new Error(`Memory has ${memory} bytes of at most ${MEMORY_LIMIT}.`);
    return memory;
  }

  #compare(): Mismatch[] {
    const { compares, damagePath } = this.#options;
    if (damagePath !== undefined) damage(this.#target, damagePath);
    if (!compares) return [];
    const found = this.#stage(`${NAME}: compare`, this.#tree.entries.length, (onEntry) =>
      compareTree(this.#target, this.#tree, onEntry),
    );
    this.#steps.end("compare", {});
    return found;
  }

  /** Removes what is below the mount point, which stays. */
  #empty(): void {
    for (const name of this.#fs.readdirSync(ROOT)) this.#fs.rmSync(`${ROOT}/${name}`, { recursive: true });
    this.#steps.end("removed", {});
  }
}
