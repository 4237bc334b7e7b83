/** proc when memory runs out, at any allocation of a call: the call fails with ENOMEM, nothing is left behind, and it can be made again. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { fsWithProc, outcomeOf } from "../../../helpers/proc-mount.ts";

const MAX_ALLOCATIONS = 60;

const CALLS: Record<string, (fs: FolioFs, fd: number) => unknown> = {
  "a file of the kernel": (fs) => fs.readFileSync("/proc/meminfo", "utf8").slice(0, 8),
  "a file of a task": (fs) => fs.readFileSync("/proc/self/mountinfo", "utf8").length > 0,
  "a setting": (fs) => fs.writeFileSync("/proc/sys/vm/swappiness", "50"),
  "a listing": (fs) => fs.readdirSync("/proc/self"),
  "a link": (fs, fd) => fs.readlinkSync(`/proc/self/fd/${fd}`),
  "a walk through a link": (fs, fd) => fs.readFileSync(`/proc/self/fd/${fd}`, "utf8"),
  "a walk on from a link": (fs) => fs.statSync("/proc/self/cwd/proc/self/root/tmp").isDirectory(),
  attributes: (fs) => fs.statSync("/proc/1/status").mode,
  "a mount": (fs) => fs.kernel.mount({ type: "proc", target: "/again" }),
};

describe("when memory runs out", () => {
  it.each(Object.entries(CALLS))("%s", (_name, call) => {
    let failures = 0;
    for (let n = 1; n <= MAX_ALLOCATIONS; n++) {
      const fs = fsWithProc();
      fs.mkdirSync("/again");
      const fd = fs.openSync("/tmp/f", "w+");
      fs.writeSync(fd, "text");
      fs.unlinkSync("/tmp/f");
      const { core } = fs.kernel.vfs;
      core.x.setFailAfter(n);
      const outcome = outcomeOf(() => call(fs, fd));
      core.x.setFailAfter(0);
      fs.kernel.verify();
      if (/^ENO(MEM|SPC) /.test(outcome)) {
        failures++;
        assert.doesNotMatch(
          outcomeOf(() => call(fs, fd)),
          /^E[A-Z]+ /,
          "the second time there is memory",
        );
      }
      fs.closeSync(fd);
      fs.kernel.umount("/proc");
      if (fs.kernel.mounts().length > 1) fs.kernel.umount("/again");
      assert.equal(fs.kernel.vmstat().nr_super_blocks, 1);
      assert.ok(fs.kernel.vmstat().nr_inodes <= 4);
      fs.kernel.destroy();
      if (!/^E/.test(outcome)) return assert.ok(failures > 0, "nothing has been allocated");
    }
    assert.fail(`still failing after ${MAX_ALLOCATIONS} allocations`);
  });
});
