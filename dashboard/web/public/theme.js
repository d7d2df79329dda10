try {
    const theme = localStorage.getItem('netmonitor.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
    // Storage is switched off: the system's preference holds.
}
