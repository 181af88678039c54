// Runs before the first paint, so that a chosen theme never flashes the other one.
(function () {
  try {
    var theme = localStorage.getItem('theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be blocked; the system's preference then decides.
  }
})();
