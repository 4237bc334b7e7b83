// Short locks: spin locks on a word in memory. In the single-threaded build they compile to nothing.
//
// Sleeping locks (page lock, i_rwsem) are states in memory in both builds; see page-lock.ts and inode.ts.
// Lock order, outermost first: gate, i_rwsem (parent before child), dcacheLock, zoneLock.

/** Takes the lock at `word`. The word holds the owner's slot number + 1, so that a repair pass can see who held it. */
// @ts-ignore: decorator
@inline export function spinLock(word: usize, owner: u32): void {
  if (SHARED) {
    while (atomic.cmpxchg<u32>(word, 0, owner + 1) != 0) {}
  }
}

/** Releases the lock at `word`. Precondition: the caller has it. */
// @ts-ignore: decorator
@inline export function spinUnlock(word: usize): void {
  if (SHARED) atomic.store<u32>(word, 0);
}
