// Runs before the first paint: the chosen theme, or the system's until one is chosen.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem("krate.theme"); } catch { return null; } };
  const wanted = () => stored() ?? (system.matches ? "dark" : "light");
  const apply = () => { if (root.dataset.theme !== wanted()) root.dataset.theme = wanted(); };

  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  // Blazor's page updates may write the attribute of the server's markup.
  new MutationObserver(apply).observe(root, { attributes: true, attributeFilter: ["data-theme"] });

  window.krateTheme = {
    isDark: () => wanted() === "dark",
    set(choice) {
      try {
        if (choice === "system") localStorage.removeItem("krate.theme");
        else localStorage.setItem("krate.theme", choice === "toggle" ? (wanted() === "dark" ? "light" : "dark") : choice);
      } catch { /* a browser without storage follows the system */ }
      apply();
    },
  };
})();
