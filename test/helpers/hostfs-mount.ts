/** A fresh folder of the host beside one that is none of its business, and a foliofs to mount it in. */
import nodeFs from "node:fs";
import { hostfs } from "../../src/fs/hostfs/hostfs.ts";
import { createFsSync, type FolioFs } from "../../src/index.ts";

export interface HostfsMount {
  /** The host's folder. */
  readonly inside: string;
  readonly outside: string;
  readonly fs: FolioFs;
  mount(data: string, flags?: number): void;
  dispose(): void;
}

/** @param base directory of the host @param options of createFsSync */
export function createHostfsMount(base = "/dev/shm", options: Parameters<typeof createFsSync>[0] = {}): HostfsMount {
  const both = nodeFs.mkdtempSync(`${base}/hostfs-`);
  const inside = `${both}/inside`;
  const outside = `${both}/outside`;
  for (const folder of [inside, outside]) nodeFs.mkdirSync(folder);
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, ...options });
  fs.kernel.registerFileSystem(hostfs);
  fs.mkdirSync("/mnt");
  return {
    inside,
    outside,
    fs,
    mount: (data, flags = 0) => {
      fs.kernel.mount({ type: "hostfs", source: inside, target: "/mnt", data, flags });
    },
    dispose: () => {
      fs.kernel.destroy();
      nodeFs.rmSync(both, { recursive: true });
    },
  };
}

/** Descriptors that this process has open. */
export function openDescriptors(): number {
  return nodeFs.readdirSync("/proc/self/fd").length;
}
