/** Files that the host lets Node write and not read. As root there are none: it is another user that tries. */
import { spawnSync } from "node:child_process";
import nodeFs from "node:fs";
import { expect, it } from "vitest";

const PROGRAM = new URL("write-only.ts", import.meta.url).pathname;
const IS_ROOT = process.getuid?.() === 0;

it.skipIf(!IS_ROOT)("are written through, and may be read by nobody", { timeout: 60_000 }, () => {
  const folder = nodeFs.mkdtempSync("/dev/shm/hostfs-write-only-");
  try {
    nodeFs.chmodSync(folder, 0o777);
    for (const name of ["f", "g"]) {
      nodeFs.writeFileSync(`${folder}/${name}`, "the text is");
      nodeFs.chmodSync(`${folder}/${name}`, 0o222);
    }
    const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", PROGRAM, folder], { encoding: "utf8" });
    // Written, nothing dirty, appended, not read, synced; unlinked, and written; and another that was dirty is.
    expect(stdout, stderr).toBe("6 0 undefined EACCES undefined undefined 8 undefined");
    expect(nodeFs.readFileSync(`${folder}/f`, "utf8")).toBe("the middles end");
    nodeFs.chmodSync(`${folder}/own`, 0o400);
    expect(nodeFs.readFileSync(`${folder}/own`, "utf8")).toBe("dirty");
  } finally {
    nodeFs.rmSync(folder, { recursive: true });
  }
});
