/** A process that writes to a folder of the host by cache=writeback, and ends in the way it is told. */
import nodeFs from "node:fs";
import { hostfs } from "../../../../src/fs/hostfs/hostfs.ts";
import { createFsSync } from "../../../../src/index.ts";

const [source, how] = process.argv.slice(2);
const before = process.listenerCount("exit");
const listeners = (): number => process.listenerCount("exit") - before;
const fs = createFsSync({ memoryLimit: 32 * 2 ** 20 });
fs.kernel.registerFileSystem(hostfs);
fs.mkdirSync("/mnt");
fs.kernel.mount({ type: "hostfs", source, target: "/mnt", data: "cache=writeback" });
fs.writeFileSync("/mnt/f", "written at the end");

if (how === "exit") process.exit(3);
if (how === "throw") throw new Error("on purpose");
if (how === "kill") process.kill(process.pid, "SIGKILL");
if (how === "in flight") {
  void fs.kernel.syncAsync();
  process.exit(0);
}
if (how === "destroy") {
  const lost = fs.kernel.destroy();
  nodeFs.writeSync(1, `${lost.dirtyPages} ${listeners()}`);
}
if (how === "umount") {
  const mounted = listeners();
  fs.kernel.umount("/mnt");
  nodeFs.writeSync(1, `${mounted} ${listeners()}`);
}
