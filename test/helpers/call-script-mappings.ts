/** The mappings of a call script on foliofs, and the scratch file that bytes of them go to and come from. */
import { EAGAIN, EFAULT, ENOMEM } from "../../src/base/errno.ts";
import { MappedData } from "../../src/vfs/mapped-data.ts";
import { type Mapped, type MmapRequest, mlock, mmap, msync, munlock, munmap } from "../../src/vfs/mmap.ts";
import type { Task } from "../../src/vfs/task.ts";
import { VM_READ, VM_WRITE } from "../../src/wasm/layout.ts";

interface Known {
  readonly task: Task;
  readonly mapped: Mapped;
}

export class Mappings {
  readonly #known = new Map<string, Known>();
  #scratch = Buffer.alloc(0);

  map(name: string, task: Task, fd: number, request: MmapRequest): number | string {
    const mapped = mmap(task, fd, request);
    if (typeof mapped === "number") return mapped;
    this.#known.set(name, { task, mapped });
    return "mapped";
  }

  unmap(name: string): number {
    const known = this.#known.get(name);
    this.#known.delete(name);
    if (known === undefined) return 0;
    known.task.enter();
    munmap(known.task.kernel, known.mapped.area);
    return 0;
  }

  msync(name: string, at: number, length: number, flags: number): number {
    return this.#on(name, ({ task, mapped }) => msync(task.kernel, mapped, at, at + length, flags));
  }
  mlock(name: string, at: number, length: number): number {
    return this.#on(name, ({ task, mapped }) => mlock(task.kernel, mapped, at, at + length));
  }
  munlock(name: string, at: number, length: number): number {
    return this.#on(name, ({ mapped }) => munlock(mapped, at, at + length));
  }

  /** @returns bytes; -EFAULT for all that the page cannot be had for */
  copy(name: string, at: number, length: number, isStore: boolean): number {
    const known = this.#known.get(name);
    if (known === undefined) return -EFAULT;
    const { task, mapped } = known;
    task.enter();
    const buffer = isStore ? this.#scratch.subarray(0, length) : Buffer.alloc(length);
    if ((mapped.area.flags & (isStore ? VM_WRITE : VM_READ)) === 0) return -EFAULT;
    const data = new MappedData(mapped, buffer, at, isStore);
    const rc = data.run(task.kernel);
    if (!isStore && data.done > 0) this.#fill(buffer.subarray(0, data.done));
    if (data.done > 0 || rc === 0) return data.done;
    return rc === -EAGAIN || rc === -ENOMEM ? rc : -EFAULT;
  }

  fill(data: string): number {
    this.#fill(Buffer.from(data));
    return data.length;
  }

  /** Over the first bytes, as pwrite(). */
  #fill(bytes: Uint8Array): void {
    const all = Buffer.alloc(Math.max(this.#scratch.length, bytes.length));
    all.set(this.#scratch);
    all.set(bytes);
    this.#scratch = all;
  }

  show(length: number): string {
    const bytes = this.#scratch.subarray(0, length);
    return `${bytes.length}:${bytes.toString("latin1")}`;
  }

  #on(name: string, work: (known: Known) => number): number {
    const known = this.#known.get(name);
    if (known === undefined) return -ENOMEM;
    known.task.enter();
    return work(known);
  }
}
