/** A process without privilege that writes a file of the host that it may write and not read, by cache=writeback. */
import nodeFs from "node:fs";
import { hostfs } from "../../../../src/fs/hostfs/hostfs.ts";
import { createFsSync } from "../../../../src/index.ts";

const [source] = process.argv.slice(2);
process.setgid?.(65534);
process.setuid?.(65534);
const fs = createFsSync({ memoryLimit: 32 * 2 ** 20 });
fs.kernel.registerFileSystem(hostfs);
fs.mkdirSync("/mnt");
fs.kernel.mount({ type: "hostfs", source, target: "/mnt", data: "cache=writeback,fmode=0666" });

const said: string[] = [];
function codeOf(call: () => unknown): string {
  try {
    return String(call());
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

const fd = fs.openSync("/mnt/f", nodeFs.constants.O_WRONLY);
said.push(codeOf(() => fs.writeSync(fd, "middle", 4)));
said.push(String(fs.kernel.bdi[0].dirty));
said.push(codeOf(() => fs.appendFileSync("/mnt/f", " end")));
said.push(codeOf(() => fs.readFileSync("/mnt/f")));
said.push(codeOf(() => fs.fsyncSync(fd)));
fs.closeSync(fd);
const going = fs.openSync("/mnt/g", nodeFs.constants.O_WRONLY);
said.push(codeOf(() => fs.unlinkSync("/mnt/g")));
said.push(codeOf(() => fs.writeSync(going, "nameless")));
fs.closeSync(going);
// A file of its own whose mode is taken away while it is dirty, and that is closed.
fs.writeFileSync("/mnt/own", "dirty");
nodeFs.chmodSync(`${source}/own`, 0);
said.push(codeOf(() => fs.kernel.sync()));
nodeFs.writeSync(1, said.join(" "));
