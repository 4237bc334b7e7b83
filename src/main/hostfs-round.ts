/**
 * One round through hostfs: the tree itself is mounted, walked and read twice, and copied into a folder of the host that is
 * mounted beside it.
 *
 *   cold    nothing is known of the folder, and nothing of it is in pages. The host has it in its own cache
 *   warm    all of it is in pages
 *   copy    from those pages to those of the other mount; `sync` is what is left to be written to the host then
 */
import { tmpdir } from "node:os";
import { hostfs } from "../host.ts";
import { createFsSync, type FolioFs } from "../index.ts";
import "../store.ts"; // what hostfs needs
import { compareMounted } from "./compare-mounted.ts";
import { compareTree, type Mismatch } from "./compare-tree.ts";
import { folderTarget } from "./host-target.ts";
import { type HostTree, TreeError } from "./host-tree.ts";
import { loadTree } from "./load-tree.ts";
import type { Stage } from "./progress.ts";
import { damage, type Round, type RoundOptions, type StageName } from "./run-target.ts";
import { type Sample, sample } from "./sample.ts";
import { Steps } from "./steps.ts";
import type { Skip, Target, TreePlace } from "./target.ts";
import { makeTemporaryFolder, TMPFS_FOLDER, whyNoRoom, whyNoTmpfs } from "./temporary-folder.ts";
import { readAll, walkAndStat } from "./walk.ts";

const NAME = "hostfs";
const SOURCE = "/tree";
const COPY = "/copy";
/** Names and attributes are believed as long as any round takes: warm is without the host. */
const TTL = "ttl=600000";

/** A mounted folder, for what walks, reads and loads. */
function mountedAt(fs: FolioFs, root: string): TreePlace {
  return {
    fs,
    root,
    keepsLinkModes: true,
    timeResolutionNs: 2_000n,
    setTimes: (path, atimeNs, mtimeNs) => fs.utimensSync(path, atimeNs, mtimeNs, { followSymlinks: false }),
  };
}

/** The tree, with contents as they are read through a mount of it. */
function asRead(tree: HostTree, { fs, root }: TreePlace): HostTree {
  const entries = tree.entries.map((entry) => ({
    ...entry,
    get data() {
      return fs.readFileSync(`${root}/${entry.path}`);
    },
  }));
  return { ...tree, entries };
}

const READ = {
  pgcache_hit: "pages hit",
  pgcache_miss: "pages missed",
  pgcache_ahead: "read ahead",
  store_reads: "host reads",
} as const;
const COPIED = { nr_dirty: "pages dirty before sync" } as const;
const SYNCED = {
  nr_dirtied: "pages dirtied",
  nr_written: "pages written",
  store_writes: "host writes",
  pgpgout: "KiB written",
} as const;

/** Makes a folder for the copy: on tmpfs, where there is one with room. */
function makeCopyFolder(tree: HostTree): string | Skip {
  const folder = whyNoTmpfs() === undefined && whyNoRoom(TMPFS_FOLDER, tree) === undefined ? TMPFS_FOLDER : tmpdir();
  const reason = whyNoRoom(folder, tree);
  return reason === undefined ? makeTemporaryFolder(folder) : { name: NAME, reason };
}

function createMounts(tree: HostTree, copyFolder: string, memoryLimit: number | undefined): FolioFs {
  let fs: FolioFs;
  try {
    fs = createFsSync({ memoryLimit, umask: 0, types: [hostfs] });
  } catch (error) {
    throw new TreeError(`foliofs does not start: ${(error as Error).message}`);
  }
  for (const target of [SOURCE, COPY]) fs.mkdirSync(target);
  fs.kernel.mount({ type: "hostfs", source: tree.root, target: SOURCE, data: `ro,${TTL}` });
  fs.kernel.mount({ type: "hostfs", source: copyFolder, target: COPY, data: `${TTL},cache=writeback` });
  return fs;
}

/**
 * Runs a round; the folder of the copy is removed, however it ends.
 *
 * @param stage runs a step under the progress bar
 */
export function runHostfsRound(
  tree: HostTree,
  stage: Stage,
  options: RoundOptions,
  memoryLimit: number | undefined,
): Round | Skip {
  const copyFolder = makeCopyFolder(tree);
  if (typeof copyFolder !== "string") return copyFolder;
  const onHost = folderTarget(NAME, copyFolder, tree);
  try {
    const fs = createMounts(tree, copyFolder, memoryLimit);
    try {
      return new HostfsRound(fs, tree, stage, options).run(onHost);
    } finally {
      fs.kernel.destroy();
    }
  } finally {
    onHost.destroy();
  }
}

class HostfsRound {
  readonly #fs: FolioFs;
  readonly #tree: HostTree;
  readonly #stage: Stage;
  readonly #options: RoundOptions;
  readonly #source: TreePlace;
  readonly #samples = new Map<StageName, Sample>();
  readonly #mismatches: Mismatch[] = [];

  constructor(fs: FolioFs, tree: HostTree, stage: Stage, options: RoundOptions) {
    this.#fs = fs;
    this.#tree = tree;
    this.#stage = stage;
    this.#options = options;
    this.#source = mountedAt(fs, SOURCE);
  }

  /** @param onHost the folder of the copy, by node:fs */
  run(onHost: Target): Round {
    const steps = new Steps(this.#fs);
    this.#read("cold");
    steps.end("hostfs cold", READ);
    this.#read("warm");
    steps.end("hostfs warm", READ);
    this.#compare("compare", (onEntry) => compareMounted(this.#source, this.#tree, onEntry));
    steps.end("hostfs compare", {});
    const copy = mountedAt(this.#fs, COPY);
    this.#run("hostfs copy", (onEntry) => loadTree(copy, asRead(this.#tree, this.#source), onEntry));
    steps.note("hostfs copy", COPIED);
    this.#run("hostfs sync", () => this.#fs.kernel.sync());
    steps.end("hostfs copy", SYNCED);
    if (this.#options.damagePath !== undefined) damage(onHost, this.#options.damagePath);
    this.#compare("compare copy", (onEntry) => compareTree(onHost, this.#tree, onEntry));
    const { timeResolutionNs } = onHost;
    const facts = { memoryBytes: this.#fs.kernel.vmstat().bytes_used, timeResolutionNs, counters: steps.counters };
    const samples = this.#samples;
    return { samples, facts: this.#options.compares ? { ...facts, mismatches: this.#mismatches } : undefined };
  }

  #read(how: "cold" | "warm"): void {
    this.#run(`hostfs ${how}: walk + stat`, (onEntry) => walkAndStat(this.#source, onEntry));
    this.#run(`hostfs ${how}: read all`, (onEntry) => readAll(this.#source, this.#tree, onEntry));
  }

  #run(name: StageName, work: (onEntry: (nrEntries: number) => void) => unknown): void {
    this.#stage(name, this.#tree.entries.length, (onEntry) => {
      const [taken] = sample(() => work(onEntry));
      this.#samples.set(name, taken);
    });
  }

  #compare(what: string, work: (onEntry: (nrEntries: number) => void) => Mismatch[]): void {
    if (!this.#options.compares) return;
    this.#mismatches.push(...this.#stage(`${NAME}: ${what}`, this.#tree.entries.length, work));
  }
}
