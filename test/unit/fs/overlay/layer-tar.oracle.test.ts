/**
 * Upper layers move by tar between foliofs and the host's overlayfs, in both directions, with GNU tar between them: random calls change a layer
 * on one side, and both sides mount what has been packed there, see the same, and go on in the same way.
 *
 * FOLIOFS_SCRIPTS says how many scripts of each kind.
 */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { describe, it } from "vitest";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../../../src/base/stat-flags.ts";
import {
  expectSame,
  type Hex,
  type LinuxStep,
  missingForLinuxScripts,
  runOnFoliofs,
  runOnLinux,
} from "../../../helpers/linux-script.ts";
import { CLOSES, DIRS, LOWER, randomSteps, root, OVERLAY_TASKS as TASKS } from "../../../helpers/overlay-script.ts";
import { seededRandom } from "../../../helpers/random.ts";

const SEED = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);
const NR_SCRIPTS = Number(process.env.FOLIOFS_SCRIPTS ?? 3);
const NR_STEPS = Number(process.env.FOLIOFS_STEPS ?? 120);
const LOWERS = "ROOT/l1:ROOT/l2";

const FS_IMMUTABLE_FL = 0x10;
const FS_APPEND_FL = 0x20;

type Tree = [path: string, attributes: unknown[]][];
const MODE_AT = 0;
const NLINK_AT = 1;
const INODE_AT = 6;
const PACKED_WITH_LINKS = [S_IFREG, S_IFDIR, S_IFLNK];

/** A tree with numbers of inodes by their order in it. @param side GNU tar packs each name of a device or fifo as a file of its own */
function renumbered(tree: unknown, side: string): Tree {
  const numbers = new Map<unknown, number>();
  return (tree as Tree).map(([path, attributes]) => {
    const type = (attributes[MODE_AT] as number) & S_IFMT;
    const parts = side === "Linux" && !PACKED_WITH_LINKS.includes(type);
    const of = parts ? path : attributes[INODE_AT];
    if (!numbers.has(of)) numbers.set(of, numbers.size);
    const renumbered = attributes.with(INODE_AT, numbers.get(of));
    return [path, parts ? renumbered.with(NLINK_AT, 1) : renumbered];
  });
}

async function outcomesOf(side: string, steps: readonly LinuxStep[]): Promise<unknown[]> {
  const script = { tasks: TASKS, steps };
  return side === "foliofs" ? runOnFoliofs(script) : runOnLinux(script);
}

const hasTar = spawnSync("tar", ["--version"], { encoding: "utf8" }).stdout?.startsWith("tar (GNU tar)") ?? false;
const missing = missingForLinuxScripts ?? (hasTar ? undefined : "needs GNU tar");
if (missing !== undefined) console.log(`layer-tar.oracle.test.ts: left out, it ${missing}`);

describe("an upper layer", () => {
  it.skipIf(missing !== undefined).each(["foliofs", "Linux"])(
    "keeps flags of chattr() on its way from %s",
    async (side) => {
      const changes = [
        root("layer", LOWERS, "ROOT/m"),
        root("chattr", "ROOT/m/a", FS_IMMUTABLE_FL),
        root("chattr", "ROOT/m/d", FS_APPEND_FL),
        root("saveTar", "ROOT/m"),
      ];
      const tar = (await outcomesOf(side, [...DIRS, ...LOWER, ...changes])).at(-1) as Hex;
      const asked = ["a", "d", "b"].map((name) => root("lsattr", `ROOT/m/${name}`));
      const refused = [root("unlink", "ROOT/m/a"), root("truncate", "ROOT/m/a", 1), root("unlink", "ROOT/m/d/x")];
      const made = root("mkdir", "ROOT/m/d/new", 0o755);
      const steps = [...DIRS, ...LOWER, root("loadTar", LOWERS, "ROOT/m", tar), ...asked, ...refused, made];
      const outcomes = await expectSame({ tasks: TASKS, steps });
      assert.deepEqual(outcomes.slice(-7), [FS_IMMUTABLE_FL, FS_APPEND_FL, 0, "EPERM", "EPERM", "EPERM", null]);
    },
  );

  it.skipIf(missing !== undefined).each(["foliofs", "Linux"])(
    "moves by tar from %s to both",
    { timeout: 60_000 + NR_SCRIPTS * 20_000 },
    async (side) => {
      for (let n = 0; n < NR_SCRIPTS; n++) {
        const seed = SEED + n;
        console.log(`layer-tar.oracle.test.ts: seed ${seed}, from ${side}`);
        const random = seededRandom(seed);
        const changes = [root("layer", LOWERS, "ROOT/m"), ...randomSteps(random, NR_STEPS, undefined), ...CLOSES];
        const steps = [...DIRS, ...LOWER, ...changes, root("tree", "ROOT/m"), root("saveTar", "ROOT/m")];
        const outcomes = await outcomesOf(side, steps);
        const [tree, tar] = outcomes.slice(-2);
        const more = [...randomSteps(random, NR_STEPS >> 1, undefined), root("tree", "ROOT/m")];
        const again = [
          ...DIRS,
          ...LOWER,
          root("loadTar", LOWERS, "ROOT/m", tar as Hex),
          root("tree", "ROOT/m"),
          ...more,
        ];
        const others = await expectSame({ tasks: TASKS, steps: again });
        const at = DIRS.length + LOWER.length + 1;
        assert.deepEqual(renumbered(others[at], side), renumbered(tree, side));
      }
    },
  );
});
