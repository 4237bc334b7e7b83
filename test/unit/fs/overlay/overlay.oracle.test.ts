/** An overlay does what the host's does on a tmpfs: options, rules one by one, and random scripts by two users. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { O_ACCMODE, S_IFIFO, S_IFREG } from "../../../../src/base/stat-flags.ts";
import { expectSame, itOnLinux, runOnFoliofs } from "../../../helpers/linux-script.ts";
import {
  ALL,
  DIRS,
  LOWER,
  mounted,
  randomSteps,
  remount,
  root,
  OVERLAY_TASKS as TASKS,
} from "../../../helpers/overlay-script.ts";
import { seededRandom } from "../../../helpers/random.ts";

const SEED = Number(process.env.FOLIOFS_SEED ?? Date.now() % 2 ** 31);
const NR_SCRIPTS = Number(process.env.FOLIOFS_SCRIPTS ?? 4);
const NR_STEPS = Number(process.env.FOLIOFS_STEPS ?? 150);

describe("mount options, as on the host", () => {
  const bad = [
    "lowerdir=ROOT/l1",
    "lowerdir=ROOT/l1:ROOT/l2",
    "upperdir=ROOT/u,workdir=ROOT/w",
    "lowerdir=ROOT/l1,upperdir=ROOT/u",
    "lowerdir=ROOT/l1,workdir=ROOT/w",
    "lowerdir=ROOT/none,upperdir=ROOT/u,workdir=ROOT/w",
    "lowerdir=ROOT/f,upperdir=ROOT/u,workdir=ROOT/w",
    "lowerdir=ROOT/l1,upperdir=ROOT/f,workdir=ROOT/w",
    "lowerdir=ROOT/l1,upperdir=ROOT/none,workdir=ROOT/w",
    "lowerdir=ROOT/l1,upperdir=ROOT/u,workdir=ROOT/none",
    "lowerdir=ROOT/l1,upperdir=ROOT/u,workdir=ROOT/f",
    "lowerdir=ROOT/l1,upperdir=ROOT/u,workdir=ROOT/u",
    "lowerdir=ROOT/l1,upperdir=ROOT/u,workdir=ROOT/u/x",
    "lowerdir=ROOT/l1,upperdir=ROOT/l1,workdir=ROOT/w",
    "lowerdir=ROOT/l1,upperdir=ROOT/u,workdir=ROOT/l1",
    "lowerdir=ROOT/l1/x,upperdir=ROOT/l1,workdir=ROOT/w",
    "lowerdir=ROOT/l1:ROOT/l1,upperdir=ROOT/u,workdir=ROOT/w",
    "lowerdir=ROOT/l1/x:ROOT/l1,upperdir=ROOT/u,workdir=ROOT/w",
    "lowerdir=ROOT/l1:ROOT/l1/x,upperdir=ROOT/u,workdir=ROOT/w",
    `${ALL},foo=1`,
    `${ALL},foo`,
    `${ALL},index=maybe`,
    `${ALL},index`,
    `${ALL},redirect_dir=off`,
    `${ALL},redirect_dir=follow`,
    `${ALL},redirect_dir=nofollow`,
    `${ALL},xino=off`,
    `${ALL},xino=auto`,
    `${ALL},volatile=1`,
    "lowerdir=:ROOT/l1,upperdir=ROOT/u,workdir=ROOT/w",
    "lowerdir=ROOT/l1:,upperdir=ROOT/u,workdir=ROOT/w",
    "lowerdir=,upperdir=ROOT/u,workdir=ROOT/w",
    "lowerdir,upperdir=ROOT/u,workdir=ROOT/w",
    "lowerdir=ROOT/l1,upperdir=,workdir=ROOT/w",
    "lowerdir=ROOT/a\\:b,upperdir=ROOT/u,workdir=ROOT/w",
    "lowerdir=ROOT/a:b,upperdir=ROOT/u,workdir=ROOT/w",
    "lowerdir=ROOT/c\\,d,upperdir=ROOT/u,workdir=ROOT/w",
    "lowerdir=ROOT/l1:ROOT/l2,index=on",
    "lowerdir=ROOT/l1:ROOT/l2,volatile",
    "lowerdir=ROOT/l1:ROOT/l2,redirect_dir=on,xino=on",
    "",
  ];
  itOnLinux("are refused with the same errors", async () => {
    const steps = [...DIRS, root("mkdir", "ROOT/l1/x", 0o755), root("mknod", "ROOT/f", S_IFREG | 0o644, 0)];
    steps.push(root("mkdir", "ROOT/a:b", 0o755), root("mkdir", "ROOT/c,d", 0o755));
    for (const options of bad) steps.push(root("overlay", options, "ROOT/m"), root("umount", "ROOT/m"));
    await expectSame({ tasks: TASKS, steps });
  });

  itOnLinux("hold for overlays over overlays, twice at most, and never above one", async () => {
    const steps = [...DIRS, ...["m3", "w2"].map((name) => root("mkdir", `ROOT/${name}`, 0o755)), mounted()];
    steps.push(root("mkdir", "ROOT/m/sub", 0o755), root("mkdir", "ROOT/m/w", 0o755), root("mkdir", "ROOT/l2/x", 0o755));
    steps.push(
      root("overlay", "lowerdir=ROOT/l2,upperdir=ROOT/m/sub,workdir=ROOT/m/w", "ROOT/m2"),
      root("overlay", "lowerdir=ROOT/m:ROOT/l2", "ROOT/m2"),
      root("tree", "ROOT/m2"),
      root("mkdir", "ROOT/m2/new", 0o755),
      root("chmod", "ROOT/m2/x", 0o700),
      root("overlay", "lowerdir=ROOT/m2:ROOT/l2", "ROOT/m3"),
      root("umount", "ROOT/m2"),
      root("umount", "ROOT/m"),
    );
    await expectSame({ tasks: TASKS, steps });
  });
});

describe("what random scripts have found", () => {
  itOnLinux("a time of access from before a change stays, whatever it was before", async () => {
    const steps = [...DIRS, ...LOWER, mounted(), root("rename", "ROOT/m/c", "ROOT/m/lnd/x")];
    steps.push(root("umount", "ROOT/m"), mounted(), root("tree", "ROOT/m"));
    steps.push(root("mknod", "ROOT/m/d/only", S_IFIFO | 0o644, 0), root("times", "ROOT/m/d"));
    await expectSame({ tasks: TASKS, steps });
  });

  itOnLinux("a file of several names is copied up by the one that it is changed by", async () => {
    const steps = [...DIRS, ...LOWER, mounted("index=on"), root("tree", "ROOT/m")];
    steps.push(root("chmod", "ROOT/m/b2", 0o777), root("stat", "ROOT/m/d"), root("tree", "ROOT/m"));
    await expectSame({ tasks: TASKS, steps });
  });

  itOnLinux("a file of one name is replaced where it is, though the index counts links", async () => {
    const steps = [...DIRS, ...LOWER, mounted("index=on"), root("open", "f", "ROOT/m/c", 0, 0)];
    steps.push(root("rename", "ROOT/m/own", "ROOT/m/c"), root("fstat", "f"), root("read", "f", 99));
    await expectSame({ tasks: TASKS, steps: [...steps, root("tree", "ROOT/m")] });
  });

  itOnLinux("what is opened neither to be read nor to be written is not copied up", async () => {
    const steps = [...DIRS, ...LOWER, mounted(), root("open", "f", "ROOT/m/c", O_ACCMODE, 0), root("stat", "ROOT/u/c")];
    steps.push(root("read", "f", 9), root("write", "f", "x"), root("ftruncate", "f", 1), root("stat", "ROOT/u/c"));
    await expectSame({ tasks: TASKS, steps });
  });
});

const OPTIONS = ["", "redirect_dir=on", "index=on", "redirect_dir=on,index=on,xino=on"];

describe("random scripts", () => {
  it.each(OPTIONS)("hold with options %j", async (options) => {
    const seed = SEED;
    console.log(`overlay.oracle.test.ts: seed ${seed}, options ${options}`);
    const steps = [...DIRS, ...LOWER, mounted(options), ...randomSteps(seededRandom(seed), 400, options)];
    await runOnFoliofs({ tasks: TASKS, steps });
  });

  itOnLinux.each(OPTIONS)("do as the host's with options %j", { timeout: 300_000 }, async (options) => {
    for (let n = 0; n < NR_SCRIPTS; n++) {
      const seed = SEED + n;
      console.log(`overlay.oracle.test.ts: seed ${seed}, options ${options}`);
      const steps = [...DIRS, ...LOWER, mounted(options), root("tree", "ROOT/m")];
      steps.push(...randomSteps(seededRandom(seed), NR_STEPS, options), root("tree", "ROOT/m"), ...remount(options));
      // With an index a file of several names is copied up by one of them, not always by that which Linux takes: a directory has a name more then.
      const outcomes = await expectSame({ tasks: TASKS, steps }, options.includes("index=on"));
      assert(outcomes.some((outcome) => outcome === null));
    }
  });
});
