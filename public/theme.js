// Runs before the first paint, so that a chosen theme does not flash in the other.
try {
  const theme = localStorage.getItem('theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch { /* storage is off: the system decides */ }
