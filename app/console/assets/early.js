// Not a module: runs before anything is painted, so that a remembered theme does not flash.
(() => {
  const root = document.documentElement;
  for (const name of ['theme', 'size']) {
    try {
      const value = localStorage.getItem(`console-${name}`);
      if (value !== null) root.dataset[name] = value;
    } catch {
      // A browser that stores nothing: the usual look.
    }
  }
})();
