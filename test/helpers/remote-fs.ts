/**
 * A file system whose truth lies outside of the kernel's memory: a tree of plain objects that tests change at will, with
 * every operation logged and every one of them interruptible.
 *
 * It is what a network file system looks like to the VFS: names are looked up and may stop being true (revalidate),
 * permissions, attributes and link targets are its own, and a store that is not ready answers -EAGAIN with a token.
 */
import {
  Dentry,
  type DentryHandle,
  EAGAIN,
  ENOENT,
  ENOTEMPTY,
  type FileSystemType,
  Inode,
  type InodeHandle,
  type InodeOperations,
  type Kernel,
  stat,
} from "../../src/index.ts";

export interface RemoteNode {
  mode: number;
  data?: Buffer;
  target?: string;
  children?: Map<string, RemoteNode>;
}

export function remoteFile(data = "", mode = 0o644): RemoteNode {
  return { mode: stat.S_IFREG | mode, data: Buffer.from(data) };
}
export function remoteDir(children: Record<string, RemoteNode> = {}, mode = 0o755): RemoteNode {
  return { mode: stat.S_IFDIR | mode, children: new Map(Object.entries(children)) };
}
export function remoteLink(target: string): RemoteNode {
  return { mode: stat.S_IFLNK | 0o777, target };
}

/** What tests may put in the way of an operation. A number >= 0 or undefined lets it go on. */
export interface Hooks {
  lookup?(kernel: Kernel, name: string): number | undefined;
  permission?(kernel: Kernel, node: RemoteNode, mask: number): number;
  getLink?(kernel: Kernel, node: RemoteNode): number | undefined;
  revalidate?(kernel: Kernel, name: string): number;
  read?(kernel: Kernel): number | undefined;
  evict?(kernel: Kernel, node: RemoteNode): void;
}

export class RemoteFs {
  readonly root: RemoteNode;
  readonly hooks: Hooks;
  /** Operations so far: "lookup name", "getLink", "evict" ... */
  readonly log: string[] = [];
  readonly type: FileSystemType;
  /** The inodes that memory has of the tree, both ways. */
  readonly nodes = new Map<InodeHandle, RemoteNode>();
  readonly #inodes = new Map<RemoteNode, InodeHandle>();

  /** @param name of the type */
  constructor(root: RemoteNode, hooks: Hooks = {}, name = "remotefs") {
    this.root = root;
    this.hooks = hooks;
    this.type = this.#type(name);
  }

  /** The log since the last call, joined. */
  takeLog(): string {
    return this.log.splice(0).join(", ");
  }

  #node(inode: InodeHandle): RemoteNode {
    const node = this.nodes.get(inode);
    if (!node) throw new Error(`remotefs: inode ${inode} is not known, or has been evicted`);
    return node;
  }

  #childrenOf(dir: InodeHandle): Map<string, RemoteNode> {
    return this.#node(dir).children as Map<string, RemoteNode>;
  }

  #instantiate(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, node: RemoteNode): number {
    const { x } = kernel.core;
    const known = this.#inodes.get(node);
    if (known !== undefined && !node.children) {
      x.iget(known);
      x.dInstantiate(dentry, known);
      return 0;
    }
    const inode = x.inodeNew(kernel.sbOf(dir).handle, node.mode, 0, 0, kernel.now()) as InodeHandle;
    if (inode < 0) return inode;
    this.#remember(kernel, inode, node);
    x.dInstantiate(dentry, inode);
    return 0;
  }

  #remember(kernel: Kernel, handle: InodeHandle, node: RemoteNode): void {
    const inode = new Inode(kernel, handle);
    inode.size = node.data?.length ?? node.target?.length ?? 0;
    if (node.children) inode.nlink = 2;
    this.nodes.set(handle, node);
    this.#inodes.set(node, handle);
  }

  #make(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, node: RemoteNode): number {
    const rc = this.#instantiate(kernel, dir, dentry, node);
    if (rc < 0) return rc;
    this.#childrenOf(dir).set(nameOf(kernel, dentry), node);
    kernel.core.x.dAdd(dentry);
    return 0;
  }

  #remove(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
    this.#childrenOf(dir).delete(nameOf(kernel, dentry));
    new Inode(kernel, new Dentry(kernel, dentry).inode).nlink = 0;
    return 0;
  }

  #operations(): InodeOperations {
    const { hooks, log } = this;
    return {
      lookup: (kernel, dir, dentry) => {
        const name = nameOf(kernel, dentry);
        log.push(`lookup ${name}`);
        const refused = hooks.lookup?.(kernel, name) ?? 0;
        if (refused < 0) return refused;
        const node = this.#childrenOf(dir).get(name);
        return node ? this.#instantiate(kernel, dir, dentry, node) : 0;
      },
      create: (kernel, dir, dentry, mode) => this.#make(kernel, dir, dentry, { mode, data: Buffer.alloc(0) }),
      mkdir: (kernel, dir, dentry, mode) => this.#make(kernel, dir, dentry, { mode, children: new Map() }),
      unlink: (kernel, dir, dentry) => this.#remove(kernel, dir, dentry),
      rmdir: (kernel, dir, dentry) => {
        const node = this.#node(new Dentry(kernel, dentry).inode);
        return node.children?.size ? -ENOTEMPTY : this.#remove(kernel, dir, dentry);
      },
      rename: (kernel, oldDir, oldDentry, newDir, newDentry) => {
        const node = this.#node(new Dentry(kernel, oldDentry).inode);
        const replaced = new Dentry(kernel, newDentry).inode;
        if (replaced) this.#remove(kernel, newDir, newDentry);
        this.#childrenOf(oldDir).delete(nameOf(kernel, oldDentry));
        this.#childrenOf(newDir).set(nameOf(kernel, newDentry), node);
        return 0;
      },
      getattr: (_kernel, inode, values) => {
        const node = this.#node(inode);
        values[8] = node.data?.length ?? node.target?.length ?? 0; // STAT_SIZE: as it is now
        return 0;
      },
      getLink: (kernel, inode) => {
        log.push("getLink");
        const node = this.#node(inode);
        const refused = hooks.getLink?.(kernel, node) ?? 0;
        return refused < 0 ? refused : Buffer.from(node.target ?? "");
      },
      ...(hooks.permission && {
        permission: (kernel: Kernel, inode: InodeHandle, mask: number) =>
          hooks.permission?.(kernel, this.#node(inode), mask) ?? 0,
      }),
    };
  }

  #type(name: string): FileSystemType {
    const { hooks, log } = this;
    return {
      name,
      fsFlags: 0,
      tables: [
        {
          inode: this.#operations(),
          file: {
            read: (kernel, file, buffer, offset, length, position) => {
              log.push("read");
              const refused = hooks.read?.(kernel) ?? 0;
              if (refused < 0) return refused;
              const data = this.#node(Inode.ofFile(kernel, file).handle).data ?? Buffer.alloc(0);
              const start = position < 0 ? kernel.core.filePos(file) : position;
              const n = data.copy(buffer, offset, start, start + length);
              if (position < 0) kernel.core.setFilePos(file, start + n);
              return n;
            },
            write: (kernel, file, buffer, offset, length, position) => {
              const inode = Inode.ofFile(kernel, file);
              const node = this.#node(inode.handle);
              const start = position < 0 ? kernel.core.filePos(file) : position;
              const grown = Buffer.alloc(Math.max(node.data?.length ?? 0, start + length));
              node.data?.copy(grown);
              grown.set(buffer.subarray(offset, offset + length), start);
              node.data = grown;
              inode.size = grown.length;
              if (position < 0) kernel.core.setFilePos(file, start + length);
              return length;
            },
            iterate: (_kernel, dir, emit) => {
              for (const [child, { mode }] of this.#childrenOf(dir)) if (!emit(child, (mode >> 12) & 15)) break;
              return 0;
            },
          },
          mapping: {},
        },
      ],
      superOps: {
        evictInode: (kernel, inode) => {
          const node = this.#node(inode);
          log.push("evict");
          hooks.evict?.(kernel, node);
          this.nodes.delete(inode);
          if (this.#inodes.get(node) === inode) this.#inodes.delete(node);
        },
      },
      ...(hooks.revalidate && {
        dentryOps: {
          revalidate: (kernel: Kernel, dentry: DentryHandle) => {
            const own = nameOf(kernel, dentry);
            log.push(`revalidate ${own}`);
            return hooks.revalidate?.(kernel, own) ?? 1;
          },
        },
      }),
      fillSuper: (sb) => {
        const rc = sb.makeRoot(0o755, 0, 0, 0);
        if (rc === 0) this.#remember(sb.kernel, new Dentry(sb.kernel, sb.root).inode, this.root);
        return rc;
      },
    };
  }
}

export function nameOf(kernel: Kernel, dentry: DentryHandle): string {
  return Buffer.from(new Dentry(kernel, dentry).name).toString();
}

/** A store that is not ready: answers -EAGAIN with a token until it is opened. */
export class Gate {
  isOpen = false;
  #open: () => void = () => {};
  readonly #token = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  /** @returns 0, or -EAGAIN after telling the kernel what to wait for */
  pass(kernel: Kernel): number {
    if (this.isOpen) return 0;
    kernel.setWaitToken(this.#token);
    return -EAGAIN;
  }

  open(): void {
    this.isOpen = true;
    this.#open();
  }
}

export const NO_ENTRY = -ENOENT;
