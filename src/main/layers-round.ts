/**
 * One round of fifty layers over the tree, each with changes of its own:
 *
 *   make          fifty layers over one directory
 *   walk + stat   through one of them, and so is all read
 *   change        some files in each of them
 *   diff          of each: exactly what has been changed
 */
import { createFsSync, type FolioFs } from "../index.ts";
import type { Layer } from "../layers.ts";
import "../layers.ts";
import { compareTree, type Mismatch } from "./compare-tree.ts";
import { wrap } from "./foliofs-target.ts";
import type { HostTree } from "./host-tree.ts";
import { loadTree } from "./load-tree.ts";
import type { Stage } from "./progress.ts";
import { damage, LAYERS_STAGES, type Round, type RoundOptions, type StageName } from "./run-target.ts";
import { type Sample, sample } from "./sample.ts";
import type { Target } from "./target.ts";
import { readAll, walkAndStat } from "./walk.ts";

const NAME = "layers";
const NR_LAYERS = 50;
/** Files that are changed in each. */
const NR_CHANGED = 20;

const placeOf = (nr: number): string => `/layers/${nr}`;

/** Runs a round. @param stage runs a step under the progress bar @param memoryLimit bytes; undefined for foliofs's own */
export function runLayersRound(tree: HostTree, stage: Stage, options: RoundOptions, memoryLimit?: number): Round {
  const fs = createFsSync({ memoryLimit, umask: 0 });
  try {
    return new LayersRound(fs, tree, stage, options).run();
  } finally {
    fs.kernel.destroy();
  }
}

class LayersRound {
  readonly #fs: FolioFs;
  readonly #tree: HostTree;
  readonly #stage: Stage;
  readonly #options: RoundOptions;
  readonly #samples = new Map<StageName, Sample>();
  readonly #layers: Layer[] = [];

  constructor(fs: FolioFs, tree: HostTree, stage: Stage, options: RoundOptions) {
    this.#fs = fs;
    this.#tree = tree;
    this.#stage = stage;
    this.#options = options;
  }

  run(): Round {
    const fs = this.#fs;
    const tree = this.#tree;
    const nrEntries = tree.entries.length;
    const base = wrap(NAME, fs);
    fs.mkdirSync(base.root);
    this.#stage(`${NAME}: load`, nrEntries, (onEntry) => loadTree(base, tree, onEntry));
    fs.mkdirSync("/layers");
    for (let nr = 0; nr < NR_LAYERS; nr++) fs.mkdirSync(placeOf(nr));
    const before = base.memoryBytes();
    this.#run("make", NR_LAYERS, (nr) => {
      this.#layers.push(fs.kernel.layer({ lower: base.root, target: placeOf(nr) }));
    });
    const counters = new Map([[`${NAME}: bytes of each`, Math.ceil((base.memoryBytes() - before) / NR_LAYERS)]]);
    const first = { ...base, root: placeOf(0) };
    const mismatches = this.#compare(first);
    this.#runAll("walk + stat", (onEntry) => walkAndStat(first, onEntry));
    this.#runAll("read all", (onEntry) => readAll(first, tree, onEntry));
    const changed = this.#changedFiles();
    this.#run("change", NR_LAYERS, (nr) => this.#change(nr, changed));
    this.#run("diff", NR_LAYERS, (nr) => mismatches.push(...this.#check(nr, changed)));
    const nrBytes = this.#layers.reduce((sum, layer) => sum + layer.usage().bytes, 0);
    counters.set(`${NAME}: bytes changed in all`, nrBytes);
    const facts = { memoryBytes: base.memoryBytes(), timeResolutionNs: base.timeResolutionNs, counters, mismatches };
    return { samples: this.#samples, facts: this.#options.compares ? facts : undefined };
  }

  #runAll(what: keyof typeof LAYERS_STAGES, work: (onEntry: (nrEntries: number) => void) => unknown): void {
    const name = LAYERS_STAGES[what];
    this.#stage(name, this.#tree.entries.length, (onEntry) => {
      const [taken] = sample(() => work(onEntry));
      this.#samples.set(name, taken);
    });
  }

  /** Once for each layer. */
  #run(what: keyof typeof LAYERS_STAGES, count: number, work: (nr: number) => void): void {
    const name = LAYERS_STAGES[what];
    this.#stage(name, count, (onEntry) => {
      const [taken] = sample(() => {
        for (let nr = 0; nr < count; nr++) {
          work(nr);
          onEntry(nr + 1);
        }
      });
      this.#samples.set(name, taken);
    });
  }

  #compare(target: Target): Mismatch[] {
    const { compares, damagePath } = this.#options;
    if (damagePath !== undefined) damage(target, damagePath);
    if (!compares) return [];
    const nrEntries = this.#tree.entries.length;
    return this.#stage(`${NAME}: compare`, nrEntries, (onEntry) => compareTree(target, this.#tree, onEntry));
  }

  /** Files of one name from all over the tree. */
  #changedFiles(): string[] {
    const linked = new Set(this.#tree.entries.map(({ linkOf }) => linkOf));
    const files = this.#tree.entries.filter(
      ({ kind, linkOf, path }) => kind === "file" && !linkOf && !linked.has(path),
    );
    const step = Math.max(1, Math.floor(files.length / NR_CHANGED));
    return files.filter((_, i) => i % step === 0 && i / step < NR_CHANGED).map(({ path }) => path);
  }

  #change(nr: number, paths: readonly string[]): void {
    for (const path of paths) this.#fs.appendFileSync(`${placeOf(nr)}/${path}`, `changed by ${nr}\n`);
  }

  /** Is it told of exactly these that their data have changed? */
  #check(nr: number, paths: readonly string[]): Mismatch[] {
    const told = new Set(
      this.#layers[nr].diff().flatMap(({ path, changed }) => (changed?.includes("data") ? path : [])),
    );
    const { damagePath } = this.#options;
    if (nr === 0 && damagePath !== undefined) told.delete(damagePath);
    const expected = paths.filter((path) => nr > 0 || path !== damagePath);
    const missing = expected.filter((path) => !told.has(path));
    const more = [...told].filter((path) => !expected.includes(path));
    return [
      ...missing.map((path) => ({ path, what: `layer ${nr} does not tell that it has changed` })),
      ...more.map((path) => ({ path, what: `layer ${nr} tells a change that has not been` })),
    ];
  }
}
