/** foliofs as a stage for cases, and the comparison of outcomes. */
import { S_IFIFO, S_IFSOCK } from "../../../src/base/stat-flags.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { ROOT } from "./oracle.ts";
import { type Outcome, runCase, type Stage, type TreeCase } from "./scene.ts";

export interface FolioStage extends Stage {
  readonly face: FolioFs;
}

export function foliofsStage(): FolioStage {
  const face = createFsSync({ memoryLimit: 64 * 2 ** 20 });
  const root = ROOT; // links may lead above it
  return {
    face,
    fs: face as unknown as Stage["fs"],
    root,
    chdir: (path) => face.task.chdir(path),
    clear: (path) => face.rmSync(path, { recursive: true, force: true }),
    mkfifo: (path) => face.mknodSync(path, S_IFIFO | 0o644),
    mksocket: (path) => face.mknodSync(path, S_IFSOCK | 0o777),
  };
}

/** @returns what foliofs makes of a case; invariants of the core hold afterwards, in debug builds */
export async function runOnFoliofs(stage: FolioStage, test: TreeCase): Promise<Outcome> {
  // As the oracle's outcomes, which have come as JSON.
  const outcome = JSON.parse(JSON.stringify(await runCase(stage, test))) as Outcome;
  stage.face.kernel.vfs.core.x.verify?.();
  return outcome;
}

/** A case as a failure shows it. */
export function titleOf({ tree, ...rest }: TreeCase): string {
  return JSON.stringify(rest);
}
