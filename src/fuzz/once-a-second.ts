/** Whoever watches a search, told of it now and then. */

const MS_BETWEEN_TELLINGS = 1000;

/** @returns what is to be called with how far a search has come, as often as one likes: `tell` hears of it once a second at most */
export function onceASecond<T extends { readonly ms: number }>(tell: ((so: T) => void) | undefined): (so: T) => void {
  let toldMs = 0;
  return (so) => {
    if (so.ms - toldMs < MS_BETWEEN_TELLINGS) return;
    toldMs = so.ms;
    tell?.(so);
  };
}
